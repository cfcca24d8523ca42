import type { StatusView } from '../../health/status-view.ts';
import type { DrillNews } from '../drill-runs.ts';
import type { LagSeries } from './lag-history.ts';
import type { RunView } from './run-view.ts';
import type { Standing } from './standing.ts';

/** All that the page and the API show. Each part is exchanged as a whole, never changed. */
export interface BoardFacts {
  readonly status?: StatusView;
  readonly lag: readonly LagSeries[];
  /** The newest first. */
  readonly runs: readonly RunView[];
  readonly standing: Standing;
  /** Absent until the drills' journal was looked at. */
  readonly drills?: DrillNews;
}

/**
 * What is shown, collected once for all who read: a reader costs a look at this, and nothing of what is behind it.
 */
export interface Board {
  facts(): BoardFacts;
  put(parts: Partial<BoardFacts>): void;
  /** Called after each change, until the returned function is. */
  onChange(listener: () => void): () => void;
  /** Somebody reads: what is shown should be of now. */
  noteReader(): void;
  /** When somebody last read, by the clock that was given. */
  lastReadAt(): number | undefined;
}

/** A board with nothing on it. */
export function newBoard(monotonic: () => number): Board {
  let facts: BoardFacts = { lag: [], runs: [], standing: {} };
  let readAt: number | undefined;
  const listeners = new Set<() => void>();
  return {
    facts: () => facts,
    put(parts) {
      facts = { ...facts, ...parts };
      for (const listener of [...listeners]) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    noteReader() {
      readAt = monotonic();
    },
    lastReadAt: () => readAt,
  };
}
