import type { ObserverReport } from '../domain/observation.ts';
import type { HeardReport } from '../health/observer-picture.ts';

interface Heard {
  readonly report: ObserverReport;
  /** Undefined: it was there when it was first read, however long already. */
  readonly heardAtMs?: number;
}

/** Keeps when each observer was heard last, by one monotonic clock. */
export interface Ear {
  /** Takes what was read at this instant. */
  hear(reports: Iterable<ObserverReport>, atMs: number): void;
  /** Every report of which is known when it came. */
  heard(): readonly HeardReport[];
}

/** An ear that heard nobody yet. A report counts as heard when it differs from the one before, never for being there. */
export function newEar(): Ear {
  const known = new Map<string, Heard>();
  return {
    hear(reports, atMs) {
      for (const report of reports) {
        const before = known.get(report.observer);
        if (before === undefined) known.set(report.observer, { report });
        else if (before.report.sequence !== report.sequence) known.set(report.observer, { report, heardAtMs: atMs });
      }
    },
    heard: () =>
      [...known.values()].flatMap(({ report, heardAtMs }) => (heardAtMs === undefined ? [] : [{ report, heardAtMs }])),
  };
}
