import type { FlinkCheckpoints, FlinkJob } from '../../regions/flink/flink-jobs.ts';

/** What is known of a job that should run. */
export interface JobLook {
  readonly name: string;
  /** Absent: the cluster has none of that name. */
  readonly job?: Pick<FlinkJob, 'state' | 'startedAtMs'>;
  readonly checkpoints?: Pick<FlinkCheckpoints, 'latestCompleted' | 'failedCount'>;
  /** How often it takes a checkpoint; absent: it takes none, or nobody can tell. */
  readonly intervalMs?: number;
  /** Since how long it is seen to run without a break, by the observer's own clock. */
  readonly runningForMs: number;
  /** How often it was started again by Flink itself; absent: Flink doesn't tell. */
  readonly restarts?: number;
  /** The part of the time, 0 to 1, in which the most held up of its tasks waited for those behind it. */
  readonly heldUp?: number;
}

export interface JobVerdict {
  readonly status: 'ok' | 'failed';
  readonly code?: string;
  readonly reason?: string;
}

/** The part of the time between two looks in which the most held up vertex waited. Pure. */
export function heldUpPart(before: readonly number[], now: readonly number[], elapsedMs: number): number | undefined {
  if (elapsedMs <= 0 || before.length !== now.length) return undefined;
  const parts = now.map((ms, i) => (ms - (before[i] ?? 0)) / elapsedMs);
  return Math.min(1, Math.max(0, ...parts));
}

/** So many intervals without a completed checkpoint, and at least so long, are too many. */
const missedIntervals = 3;
const leastAgeMs = 30_000;
const heldUpFrom = 0.9;

/**
 * How a job is. `JobMissing`, `JobNotRunning`, `CheckpointOld` are failures; `JobHeldUp` is told beside ok. The age of the
 * checkpoint counts from when the job was first seen to run, so that one that has just begun is none's failure. Pure.
 */
export function judgeJob(look: JobLook, nowMs: number): JobVerdict {
  const { name, job, checkpoints, intervalMs, runningForMs } = look;
  if (!job) return { status: 'failed', code: 'JobMissing', reason: `the cluster has no job ${name}` };
  if (job.state !== 'RUNNING') {
    const times = look.restarts === undefined ? '' : ` after ${look.restarts} restarts`;
    return { status: 'failed', code: 'JobNotRunning', reason: `job ${name} is ${job.state}${times}` };
  }
  if (intervalMs !== undefined && checkpoints) {
    const newestMs = checkpoints.latestCompleted?.completedAtMs ?? 0;
    const ageMs = Math.min(nowMs - newestMs, runningForMs);
    if (ageMs > Math.max(leastAgeMs, missedIntervals * intervalMs)) {
      const every = `one is due every ${Math.round(intervalMs / 1_000)} s`;
      const reason = `job ${name} has completed no checkpoint for ${Math.round(ageMs / 1_000)} s; ${every}`;
      return { status: 'failed', code: 'CheckpointOld', reason };
    }
  }
  if ((look.heldUp ?? 0) >= heldUpFrom) {
    const part = Math.round((look.heldUp ?? 0) * 100);
    return { status: 'ok', code: 'JobHeldUp', reason: `job ${name} is held up ${part} % of the time (backpressure)` };
  }
  return { status: 'ok' };
}
