import type { JobConfig } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { type JobVerdict, judgeJob } from '../../replication/checkpoints/check.ts';
import { gatherJob } from '../../replication/checkpoints/check-job.ts';
import type { CheckFinding } from '../../replication/checkpoints/checked-job.ts';
import { markerLook } from '../../replication/checkpoints/markers.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus checkpoints check`: whether each job's checkpoints could be restored on the standby, how, and what to change;
 * changes nothing. Exit code 3 when one is refused, 2 when the primary's bucket can't be read.
 */
export async function run(context: CommandContext, options: { readonly job?: string }): Promise<number> {
  return withComposition(context, async (composition) => {
    const wanted = chosenJobs(composition.config.jobs, options.job);
    const { primary, standby, verdicts } = await lookAtCheckpoints(context, composition, wanted);
    const refused = verdicts.filter(({ verdict }) => verdict === 'refused').length;
    if (context.json) context.print(JSON.stringify({ ok: refused === 0, jobs: verdicts }));
    else {
      for (const line of verdicts.flatMap(lines)) context.print(line);
      context.print(`${primary.name} to ${standby.name}: ${verdicts.length - refused} restorable, ${refused} refused`);
    }
    return refused > 0 ? 3 : 0;
  });
}

/** Whether these jobs' checkpoints could be restored on the standby. */
export async function lookAtCheckpoints(context: CommandContext, composition: Composition, jobs: readonly JobConfig[]) {
  const { signal, clock } = context;
  const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
  const rpoMs = composition.config.objectives.rpo;
  const verdicts: JobVerdict[] = [];
  for (const { name, checkpoints, reads, consumerGroup } of jobs) {
    const look = { job: name, prefix: checkpoints.prefix, primary, standby, rpoMs, reads };
    const lookAtMarkers = markerLook(primary, consumerGroup);
    const seen = await gatherJob({ ...look, lookAtMarkers, nowMs: clock.now(), signal }).catch(notRead);
    verdicts.push(judgeJob(seen));
  }
  return { primary, standby, verdicts };
}

function notRead(error: unknown): never {
  if (!(error instanceof ArgusError)) throw error;
  const { code, message, hint, cause, retryable } = error;
  throw new ArgusError(code, message, { cause, retryable, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
}

function lines({ job, verdict, variants, reasons, warnings, notes }: JobVerdict): readonly string[] {
  const finding = (prefix: string) => (f: CheckFinding) => [
    `  ${prefix}${f.code}: ${f.message}`,
    `    instead: ${f.alternative}`,
  ];
  const width = Math.max(0, ...variants.map(({ variant }) => variant.length));
  return [
    `${job}: ${verdict.replaceAll('-', ' ')}`,
    ...reasons.flatMap(finding('')),
    ...warnings.flatMap(finding('warning: ')),
    ...variants.map((v) => `  ${v.variant.padEnd(width)}  ${v.works ? 'works' : 'no   '}  ${v.why}`),
    ...notes.map((note) => `  ${note}`),
  ];
}
