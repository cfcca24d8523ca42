import type { ObjectStore } from '../regions/objects/object-store.ts';
import { readUsualTimes, type UsualTime } from '../runbooks/plan/durations.ts';

const readMs = 5_000;

/** How long each step of a runbook took before, for a view; none where that can't be read. */
export async function usualTimes(
  store: ObjectStore,
  runbook: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UsualTime>> {
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]) };
  return readUsualTimes(store, runbook, call).catch(() => new Map());
}
