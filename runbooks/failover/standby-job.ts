import { createHash } from 'node:crypto';
import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';

const terminal = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);

/** Whether a job in this state will never process another record. Source: Flink 2.2 `JobStatus.isTerminalState`. */
export const isTerminal = (job: Pick<FlinkJob, 'state'>): boolean => terminal.has(job.state);

/**
 * The id that a promotion gives to a job: the same for every run that promotes to these roles, so that Flink itself
 * refuses a second start. An id that came to an end can't be used again, so each attempt has the next one.
 * 32 hex digits (Flink's `JobID`).
 */
export function standbyJobId(rolesEpoch: number, job: string, attempt: number): string {
  return createHash('sha256').update(`argus/${rolesEpoch}/${job}/${attempt}`).digest('hex').slice(0, 32);
}

/** `foreign`: a job of that name runs, and no promotion to these roles started it. */
export type StandbyJob =
  | { readonly kind: 'none'; readonly nextId: string; readonly ended: readonly FlinkJob[] }
  | { readonly kind: 'live'; readonly job: FlinkJob }
  | { readonly kind: 'foreign'; readonly job: FlinkJob };

/** What the standby's cluster knows of a job that is to be promoted. Pure. */
export function findStandbyJob(jobs: readonly FlinkJob[], rolesEpoch: number, name: string): StandbyJob {
  const ended: FlinkJob[] = [];
  for (let attempt = 0; ; attempt++) {
    const id = standbyJobId(rolesEpoch, name, attempt);
    const job = jobs.find((j) => j.id === id);
    if (job !== undefined && !isTerminal(job)) return { kind: 'live', job };
    if (job !== undefined) {
      ended.push(job);
      continue;
    }
    const foreign = jobs.find((j) => j.name === name && !isTerminal(j));
    return foreign ? { kind: 'foreign', job: foreign } : { kind: 'none', nextId: id, ended };
  }
}
