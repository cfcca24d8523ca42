/** One try to bring the newest checkpoint to the replica. */
export interface CopyAttempt {
  readonly flinkJobId: string;
  readonly checkpointId: number;
  /** When Flink completed it, by the store's clock. */
  readonly completedAtMs: number;
  readonly tookMs: number;
  /** `superseded`: Flink removed it before its copy was complete. */
  readonly outcome: 'replicated' | 'superseded';
}

/** Why the replica falls behind, or never gets a checkpoint at all. */
export interface SlowCopy {
  readonly code: 'CopySlowerThanCheckpoints';
  /** A sentence, with what to do. */
  readonly message: string;
  /** How many of the newest tries in a row Flink has ended by removing the checkpoint. */
  readonly lostInARow: number;
  /** How long the newest try took. */
  readonly tookMs: number;
  /** From one checkpoint to the next, as far as it can be told from these tries. */
  readonly intervalMs?: number;
}

/** So many tries are looked at. */
export const PACE_ATTEMPTS = 8;
/** One that is removed during its copy may be bad luck. */
const LOST = 2;
/** One that takes long may be the first, which copies everything. */
const SLOW = 3;

/**
 * Whether the copies keep up with the job's checkpoints; `undefined` while they do. Attempts in the order in which they
 * were made. Pure.
 */
export function judgePace(attempts: readonly CopyAttempt[]): SlowCopy | undefined {
  const last = attempts.at(-1);
  if (last === undefined) return undefined;
  const won = attempts.findLastIndex((a) => a.outcome === 'replicated');
  const lostInARow = attempts.length - 1 - won;
  const ofRun = attempts.filter((a) => a.flinkJobId === last.flinkJobId);
  const intervalMs = intervalOf(ofRun);
  const recent = ofRun.slice(-SLOW);
  const slow = intervalMs !== undefined && recent.length === SLOW && recent.every((a) => a.tookMs > intervalMs);
  if (lostInARow < LOST && !slow) return undefined;
  const took = `${seconds(last.tookMs)} s`;
  const each = intervalMs === undefined ? '' : `; the job makes one each ${seconds(intervalMs)} s`;
  const what =
    lostInARow >= LOST
      ? `Flink removed the last ${lostInARow} checkpoints before their copies were complete (the newest try took ${took}${each})`
      : `the copy of a checkpoint takes ${took}${each}`;
  const help = 'raise checkpoints.bandwidth, execution.checkpointing.num-retained, or execution.checkpointing.interval';
  return {
    code: 'CopySlowerThanCheckpoints',
    message: `${what}: ${help}`,
    lostInARow,
    tookMs: last.tookMs,
    ...(intervalMs === undefined ? {} : { intervalMs }),
  };
}

/** The mean time between two checkpoints, by their numbers: some of them may never have been seen. */
function intervalOf(attempts: readonly CopyAttempt[]): number | undefined {
  const ordered = [...attempts].sort((a, b) => a.checkpointId - b.checkpointId);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined || first.checkpointId === last.checkpointId) return undefined;
  const intervalMs = (last.completedAtMs - first.completedAtMs) / (last.checkpointId - first.checkpointId);
  return intervalMs > 0 ? intervalMs : undefined;
}

const seconds = (ms: number) => Number((ms / 1_000).toFixed(1));
