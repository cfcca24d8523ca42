import type { RunResult } from './engine/run.ts';

/** How much of a run's time is Argus' own. */
export interface OwnShare {
  /** From the run's start to the end of its last step. */
  readonly totalMs: number;
  /** What is left without the waiting for others: deciding, journalling, the mirror's stop, pauses between looks. */
  readonly ownMs: number;
  readonly waited: readonly { readonly step: string; readonly for: string; readonly ms: number }[];
}

/** Total less waiting for others, by what the journal has of each step. Pure. Undefined when no step has ended. */
export function ownShare(result: Pick<RunResult<never>, 'startedAtMs' | 'steps'>): OwnShare | undefined {
  const ended = result.steps.flatMap((s) => (s.startedAtMs === undefined ? [] : [s.startedAtMs + s.ms]));
  if (result.startedAtMs === undefined || ended.length === 0) return undefined;
  const totalMs = Math.max(0, Math.max(...ended) - result.startedAtMs);
  const waited = result.steps.flatMap(({ id, waitsFor, waitedMs }) =>
    waitsFor === undefined || !waitedMs ? [] : [{ step: id, for: waitsFor, ms: waitedMs }],
  );
  return { totalMs, ownMs: Math.max(0, totalMs - waited.reduce((sum, w) => sum + w.ms, 0)), waited };
}
