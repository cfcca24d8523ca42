import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type Readiness, readReadiness } from '../state/readiness.ts';

/** What was said of readiness lately, whichever daemon said it. */
export interface ReadinessWords {
  /** Reads the newest; one that can't be read leaves what is known. */
  look(call: { readonly signal: AbortSignal }): Promise<void>;
  newest(): Readiness | undefined;
  /**
   * What held before an instant: the newest that was green in the three minutes before, since one look that was too slow
   * says little and a plan is made from fresh looks anyway; else the newest, not older than five minutes.
   */
  before(atMs: number): Readiness | undefined;
}

const keptMs = 15 * 60_000;
const oldestMs = 5 * 60_000;
const greenMs = 3 * 60_000;

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
    before(atMs) {
      const within = (ms: number) => (w: Readiness) => w.atMs <= atMs && atMs - w.atMs <= ms;
      const green = words.filter(within(greenMs)).findLast((w) => w.status === 'green');
      return green ?? words.findLast(within(oldestMs));
    },
  };
}
