import type { ObjectStore } from '../regions/objects/object-store.ts';
import { readUsualTimes, type UsualTime } from '../runbooks/plan/durations.ts';

const readMs = 5_000;

/** How long each step of a runbook took before, for a view; none where that can't be read. `besides`: a run that doesn't count. */
export async function usualTimes(
  store: ObjectStore,
  runbook: string,
  signal: AbortSignal,
  besides?: string,
): Promise<ReadonlyMap<string, UsualTime>> {
  const call = {
    signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]),
    ...(besides === undefined ? {} : { besides }),
  };
  return readUsualTimes(store, runbook, call).catch(() => new Map());
}
