import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type Readiness, readReadiness } from '../state/readiness.ts';

/** What was said of readiness lately, whichever daemon said it. */
export interface ReadinessWords {
  /** Reads the newest; one that can't be read leaves what is known. */
  look(call: { readonly signal: AbortSignal }): Promise<void>;
  newest(): Readiness | undefined;
  /** The newest of before an instant, not older than five minutes then. */
  before(atMs: number): Readiness | undefined;
}

const keptMs = 15 * 60_000;
const oldestMs = 5 * 60_000;

/** The words in the state, from now on: during an outage nobody can tell any more whether a failover would have worked. */
export function readinessWords(state: ObjectStore): ReadinessWords {
  let words: readonly Readiness[] = [];
  return {
    async look(call) {
      const word = await readReadiness(state, call);
      if (word === undefined || word.atMs === words.at(-1)?.atMs) return;
      words = [...words.filter((w) => word.atMs - w.atMs < keptMs), word];
    },
    newest: () => words.at(-1),
    before: (atMs) => words.findLast((w) => w.atMs <= atMs && atMs - w.atMs <= oldestMs),
  };
}
