import type { JobVerdict } from '../../replication/checkpoints/check.ts';
import type { TopicVerdict } from '../../replication/topics/check.ts';
import type { PreflightVerdict, Problem } from '../preflight.ts';
import type { StandbyVerdict } from '../standby-check.ts';
import type { DoctorFinding, DoctorSeverity } from './finding.ts';

const lookThere = 'see what it names, then run `argus doctor` again';

/** What `argus config check --live` finds. Pure. */
export function fromPreflight(check: string, { errors, warnings }: PreflightVerdict): readonly DoctorFinding[] {
  const as = (severity: DoctorSeverity) => (problem: Problem) => ({
    check,
    code: problem.code,
    severity,
    message: problem.message,
    fix: problem.hint ?? lookThere,
  });
  return [...errors.map(as('error')), ...warnings.map(as('warning'))];
}

/** What `argus mirror check` finds of each topic. Pure. */
export function fromTopics(check: string, topics: readonly TopicVerdict[]): readonly DoctorFinding[] {
  return topics.flatMap(({ topic, reasons, warnings }) => [
    ...reasons.map(({ code, message, alternative }) => ({
      check,
      code,
      severity: 'error' as const,
      message: `${topic}: ${message}`,
      fix: alternative || `leave ${topic} out of \`topics\`, or see docs/mirror.md, What is refused`,
    })),
    ...warnings.map((message) => ({
      check,
      code: 'TopicWarning',
      severity: 'warning' as const,
      message: `${topic}: ${message}`,
      fix: 'docs/mirror.md says what the mirror does with it; `argus mirror check` has all of it',
    })),
  ]);
}

/** What `argus checkpoints check` finds of each job. Pure. */
export function fromJobs(check: string, jobs: readonly JobVerdict[]): readonly DoctorFinding[] {
  return jobs.flatMap(({ job, reasons, warnings }) => {
    const as = (severity: DoctorSeverity) => (found: JobVerdict['reasons'][number]) => ({
      check,
      code: found.code,
      severity,
      job,
      message: found.message,
      fix: found.alternative,
    });
    return [...reasons.map(as('error')), ...warnings.map(as('warning'))];
  });
}

/** What `argus standby check` finds, or another look at a region in its words. Pure. */
export function fromStandby(
  check: string,
  region: string,
  { findings }: Pick<StandbyVerdict, 'findings'>,
): readonly DoctorFinding[] {
  return findings.map(({ job, severity, code, message, hint }) => ({
    check,
    code,
    severity: severity === 'refused' ? 'error' : code.endsWith('Unknown') ? 'unknown' : 'warning',
    region,
    message,
    fix: hint,
    ...(job === undefined ? {} : { job }),
  }));
}

/** What `argus dns check` finds. Pure. */
export function fromNames(
  check: string,
  names: readonly {
    readonly severity: 'refused' | 'unknown' | 'warning' | 'advice';
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  }[],
): readonly DoctorFinding[] {
  return names.map(({ severity, code, message, hint }) => ({
    check,
    code,
    severity: severity === 'refused' ? 'error' : severity,
    message,
    fix: hint ?? 'see `argus dns check` and docs/dns.md',
  }));
}
