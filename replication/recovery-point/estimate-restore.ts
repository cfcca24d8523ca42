import type { RunRecord } from '../../state/run-record.ts';

/** How fast a job is taken to come back. */
export interface RestoreRates {
  /** From the start of the job to its first own checkpoint, without what its state's size and the replay add. */
  readonly startMs: number;
  /** State read from the replica. */
  readonly bytesPerSecond: number;
  /** Records that the job reads again. */
  readonly recordsPerSecond: number;
  /** The run that `startMs` was measured in; absent: all three are defaults. */
  readonly measuredIn?: string;
}

/** What is taken while nothing was measured: a guess, and called so wherever it is shown. */
export const defaultRates: RestoreRates = { startMs: 15_000, bytesPerSecond: 100_000_000, recordsPerSecond: 50_000 };

/** How long an earlier failover took to bring its jobs back. */
export interface MeasuredRestore {
  readonly run: string;
  /** From the start of the jobs to the last one's first own checkpoint. */
  readonly ms: number;
}

/**
 * The rates, given earlier failovers, newest first: the newest one's time stands in the place of the default start. It
 * holds the reading of a state whose size nobody noted, so that an estimate rather says too long than too short. Pure.
 */
export function ratesFrom(measured: readonly MeasuredRestore[]): RestoreRates {
  const newest = measured[0];
  return newest === undefined ? defaultRates : { ...defaultRates, startMs: newest.ms, measuredIn: newest.run };
}

/** From the start of the job until it has read all again that the mirror holds. Pure. */
export function estimateRestoreMs(
  rates: RestoreRates,
  work: { readonly stateBytes: number; readonly replayRecords: bigint },
): number {
  const readMs = (work.stateBytes / rates.bytesPerSecond) * 1_000;
  const replayMs = (Number(work.replayRecords) / rates.recordsPerSecond) * 1_000;
  return Math.round(rates.startMs + readMs + replayMs);
}

/** What a run's journal says of it: nothing unless it was a failover that started its jobs itself and saw them recover. Pure. */
export function measuredRestore({
  run,
  runbook,
  status,
  steps,
}: Pick<RunRecord, 'run' | 'runbook' | 'status' | 'steps'>): readonly MeasuredRestore[] {
  if (runbook !== 'failover' || status !== 'done') return [];
  const ms = ['start-jobs', 'await-checkpoint'].map((id) => {
    const step = steps.find((s) => s.id === id);
    // What another run had done already took no time in this one.
    return step?.status === 'done' ? step.ms : undefined;
  });
  return ms.every((each) => each !== undefined) ? [{ run, ms: ms.reduce((a, b) => a + b, 0) }] : [];
}
