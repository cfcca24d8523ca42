import type { FlinkJobSettings } from '../../regions/flink/flink-jobs.ts';
import type { DoctorFinding } from './finding.ts';

/** A configured job as its own Flink tells it. */
export interface SeenJob {
  readonly job: string;
  /** Its configuration says how a drill starts it. */
  readonly drill: boolean;
  /** Absent: it doesn't run, or Flink is silent, which other checks tell. */
  readonly settings?: Pick<FlinkJobSettings, 'cluster'>;
}

/** What `argus checkpoints check` does not look at. Pure. */
export function judgeSeenJob(check: string, { job, drill, settings }: SeenJob): readonly DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  if (settings && settings.cluster.get('pipeline.auto-generate-uids') !== 'false')
    findings.push({
      check,
      code: 'OperatorIdsUnknown',
      severity: 'advice',
      job,
      message:
        'whether every operator has a uid of its own can’t be told: without one a changed job restores nothing of it',
      fix: 'give each operator a uid(…), and let Flink insist: pipeline.auto-generate-uids: false',
    });
  if (!drill)
    findings.push({
      check,
      code: 'JobInNoDrill',
      severity: 'advice',
      job,
      message: 'no drill tries it: jobs[].drill does not say how to start it without touching production',
      fix: 'docs/drills.md, Configuration: arguments, or a FlinkDeployment, with {topic:…}, {group} and {transactionalIdPrefix}',
    });
  return findings;
}
