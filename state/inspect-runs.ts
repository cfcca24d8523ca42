import { eachAtOnce } from '../domain/each-at-once.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { type InspectedRun, inspectRun } from './journal.ts';

/** A journal is some twenty objects, and a store answers some dozens of requests at a time. */
const readAtOnce = 12;

/**
 * The journals of many runs as `inspectRun` reads them, in the order given; a few at a time, so that what a store is asked
 * at once doesn't grow with history: a call that waits behind thousands runs out of time. `storeOf` gives where a run's
 * journal is.
 */
export function inspectRuns(
  runs: readonly string[],
  storeOf: (run: string) => ObjectStore,
  options: CallOptions = {},
): Promise<readonly InspectedRun[]> {
  return eachAtOnce(runs, readAtOnce, (run) => inspectRun(storeOf(run), run, options));
}
