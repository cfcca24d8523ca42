import type { Clock } from '../domain/clock.ts';
import type { DrillScheduleEntry } from '../domain/drill-schedule-config.ts';
import { describeError } from '../domain/errors.ts';
import { type ComingDrill, comingDrills, longestWithoutProof } from '../drills/schedule/coming.ts';
import { type PastDrill, pastDrill } from '../drills/schedule/past.ts';
import type { DrillFacts } from '../health/metrics/drill-series.ts';
import type { Metrics } from '../health/metrics.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type DrillSlot, newestSlots, type ReadSlot } from '../state/drill-slots.ts';
import { drillState } from '../state/drills.ts';
import { inspectRun, type JournalEntry, listRuns } from '../state/journal.ts';
import { foldRun } from '../state/run-record.ts';
import type { Log } from './log.ts';
import { runNews, watchedRun } from './run-news.ts';
import type { MakeService } from './service.ts';
import { killedAfterMs } from './silent-run.ts';
import { every } from './supervise.ts';

/** What a page tells of drills. */
export interface DrillNews {
  /** The newest that there was. */
  readonly last?: PastDrill;
  /** The newest that restored or moved something, and passed. */
  readonly lastProof?: PastDrill;
  readonly next?: ComingDrill;
}

export interface DrillRunsParts {
  readonly schedule: readonly DrillScheduleEntry[];
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'also'>;
  readonly onNews?: (news: DrillNews) => void;
  readonly periodMs?: number;
}

/** So many of the newest are looked at when a daemon begins: a year of dailies. */
const readAtStart = 400;
const readAtOnce = 8;
const callMs = 10_000;
/** Of each kind so many slots are counted. */
const slotsCounted = 30;

/**
 * Looks at the drills' own journal, whoever carries a drill out: metrics, the page and what people are told come from
 * here. A tabletop that passes is no news, unless the one before did not.
 */
export function watchDrills(parts: DrillRunsParts): MakeService {
  const { state, clock, log, metrics, schedule, periodMs = 30_000 } = parts;
  const drills = drillState(state);
  const past = new Map<string, PastDrill>();
  const open = new Set<string>();
  const kinds = [...new Set(schedule.filter((e) => e.enabled).map((e) => e.kind))];
  let slots: readonly DrillSlot[] = [];
  let readSlots: readonly ReadSlot[] = [];
  let known: Set<string> | undefined;
  metrics.also(() =>
    known === undefined ? {} : { drills: factsOf([...past.values()], slots, schedule, clock.now()) },
  );

  return ({ events }) => {
    function tell(entries: readonly JournalEntry[], drill: PastDrill, begins: boolean): void {
      const run = entries[0] && watchedRun(entries[0]);
      const last = entries.at(-1);
      if (run === undefined || last === undefined) return;
      const loud = drill.kind !== 'tabletop';
      if (begins && loud && entries[0] !== undefined) emit(runNews(run, entries[0]));
      if (drill.endedAtMs === undefined) return;
      const before = [...past.values()]
        .filter((d) => d.kind === drill.kind && d.startedAtMs < drill.startedAtMs)
        .at(-1);
      if (loud || drill.outcome !== 'passed' || (before !== undefined && before.outcome !== 'passed'))
        emit(runNews(run, last));
    }
    const emit = (news: ReturnType<typeof runNews>) => {
      if (news !== undefined) events.emit(news);
    };

    async function look(signal: AbortSignal): Promise<void> {
      const within = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) });
      const names = (await listRuns(drills, within())).slice(-readAtStart);
      const first = known === undefined;
      const fresh = names.filter((name) => known?.has(name) !== true);
      const due = [...new Set([...fresh, ...open])].toSorted();
      for (let i = 0; i < due.length; i += readAtOnce) {
        const some = due.slice(i, i + readAtOnce);
        const read = await Promise.all(some.map(async (name) => (await inspectRun(drills, name, within())).entries));
        for (const entries of read) {
          const record = foldRun(entries);
          if (record === undefined) continue;
          const drill = pastDrill(record);
          if (!first) tell(entries, drill, !past.has(record.run));
          past.set(record.run, drill);
          if (drill.endedAtMs === undefined && clock.now() - record.lastAtMs < killedAfterMs(record))
            open.add(record.run);
          else open.delete(record.run);
        }
      }
      readSlots = (
        await Promise.all(kinds.map((kind) => newestSlots(drills, kind, slotsCounted, within(), readSlots)))
      ).flat();
      slots = readSlots.map((s) => s.value);
      known = new Set([...past.keys()]);
      parts.onNews?.(newsOf([...past.values()], slots, schedule, clock.now()));
    }

    return {
      name: 'watch of the drills',
      async run(signal) {
        let said: string | undefined;
        const tick = async () => {
          try {
            await look(signal);
            said = undefined;
          } catch (error) {
            const why = describeError(error);
            if (!signal.aborted && why !== said) log.warn({}, `the drills can't be looked at now: ${why}`);
            said = why;
          }
        };
        await every(periodMs, tick, clock, signal);
      },
    };
  };
}

const proves: ReadonlySet<string> = new Set(['isolated', 'switchover']);
const byStart = (a: PastDrill, b: PastDrill) => a.startedAtMs - b.startedAtMs;

/** The newest drill, the newest that proved something, and the next. Pure. */
function newsOf(
  past: readonly PastDrill[],
  slots: readonly DrillSlot[],
  schedule: readonly DrillScheduleEntry[],
  nowMs: number,
): DrillNews {
  const sorted = past.toSorted(byStart);
  const last = sorted.at(-1);
  const lastProof = sorted.findLast((d) => proves.has(d.kind) && d.outcome === 'passed');
  const [next] = comingDrills({ nowMs, schedule, slots, count: 1 });
  return {
    ...(last === undefined ? {} : { last }),
    ...(lastProof === undefined ? {} : { lastProof }),
    ...(next === undefined ? {} : { next }),
  };
}

/** What a scrape tells. Pure. */
function factsOf(
  past: readonly PastDrill[],
  slots: readonly DrillSlot[],
  schedule: readonly DrillScheduleEntry[],
  nowMs: number,
): NonNullable<DrillFacts['drills']> {
  const ended = past.filter((d) => d.endedAtMs !== undefined).toSorted(byStart);
  const coming = comingDrills({ nowMs, schedule, slots, count: 1 });
  const skipped = slots.filter((s) => s.status === 'skipped');
  const counted = Map.groupBy(skipped, (s) => `${s.kind} ${s.skipped?.code ?? ''}`);
  return {
    last: [...Map.groupBy(ended, (d) => d.kind)].flatMap(([kind, all]) => {
      const newest = all.at(-1);
      if (newest?.endedAtMs === undefined) return [];
      const { endedAtMs, startedAtMs, rtoMs, rpoMs, leaks, outcome } = newest;
      const passedAtMs = all.findLast((d) => d.outcome === 'passed')?.endedAtMs;
      return {
        ...{ kind, endedAtMs, ms: endedAtMs - startedAtMs, passed: outcome === 'passed' },
        ...(rtoMs === undefined ? {} : { rtoMs }),
        ...(rpoMs === undefined ? {} : { rpoMs }),
        ...(leaks === undefined ? {} : { leaks }),
        ...(passedAtMs === undefined ? {} : { passedAtMs }),
      };
    }),
    next: [...Map.groupBy(coming, (d) => d.kind)].map(([kind, [first]]) => ({ kind, dueAtMs: first?.dueAtMs ?? 0 })),
    skipped: [...counted].map(([key, all]) => {
      const [kind = '', code = ''] = key.split(' ');
      return { kind, code, count: all.length };
    }),
    longestMs: longestWithoutProof(schedule, nowMs),
  };
}
