import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { RunFacts } from '../health/metrics/run-series.ts';
import type { Metrics } from '../health/metrics.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { inspectRun, type JournalEntry, listRuns, readRunAfter } from '../state/journal.ts';
import type { Log } from './log.ts';
import { reportedLoss, runNews, type WatchedRun, watchedRun } from './run-news.ts';
import type { MakeService } from './service.ts';
import { every } from './supervise.ts';

export interface WatchRunsParts {
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'also' | 'runEnded'>;
  readonly periodMs?: number;
}

/** How many of the newest runs are looked at when the daemon begins. */
const readAtStart = 50;
const callMs = 10_000;

interface OpenRun {
  readonly run: WatchedRun;
  readonly seq: number;
  readonly lastAtMs: number;
}

/**
 * Tells of every run in the journal as it goes on, whoever carries it out and wherever: the daemon's events and the
 * series of runs come from here. A run that is under way when the daemon begins is told as begun.
 */
export function watchRuns({ state, clock, log, metrics, periodMs = 2_000 }: WatchRunsParts): MakeService {
  const known = new Set<string>();
  const open = new Map<string, OpenRun>();
  const last = new Map<string, NonNullable<RunFacts['runs']>['last'][number]>();
  let looked = false;
  metrics.also(() => {
    if (!looked) return {};
    const silent = [...open.values()].map((o) => o.lastAtMs);
    return {
      runs: {
        last: [...last.values()],
        unfinished: open.size,
        ...(silent.length === 0 ? {} : { silentSinceMs: Math.min(...silent) }),
      },
    };
  });

  return ({ events }) => {
    function see(run: WatchedRun, entry: JournalEntry, tell: boolean): void {
      const { fact, atMs, seq } = entry;
      if (fact.kind !== 'run-finished') open.set(run.run, { run, seq, lastAtMs: atMs });
      else {
        open.delete(run.run);
        if (tell) metrics.runEnded(run.runbook, fact.outcome);
      }
      const news = runNews(run, entry);
      if (news?.kind === 'run-ended' && news.outcome === 'done') {
        const records = reportedLoss(news.report)?.records;
        last.set(run.runbook, {
          runbook: run.runbook,
          endedAtMs: atMs,
          ...(news.rtoMs === undefined ? {} : { rtoMs: news.rtoMs }),
          ...(records === undefined ? {} : { lostRecords: records }),
        });
      }
      if (news && tell) events.emit(news);
    }

    async function begin(call: { readonly signal: AbortSignal }): Promise<void> {
      const runs = await listRuns(state, call);
      for (const name of runs.slice(-readAtStart)) {
        const { entries } = await inspectRun(state, name, call);
        const run = entries[0] && watchedRun(entries[0]);
        if (run === undefined) continue;
        const ended = entries.at(-1)?.fact.kind === 'run-finished';
        for (const [i, entry] of entries.entries()) see(run, entry, !ended && i === 0);
      }
      for (const name of runs) known.add(name);
      looked = true;
    }

    async function follow(call: { readonly signal: AbortSignal }): Promise<void> {
      for (const name of await listRuns(state, call)) {
        if (known.has(name)) continue;
        const entries = await readRunAfter(state, name, 0, call);
        const run = entries[0] && watchedRun(entries[0]);
        // Listed a moment before its first entry can be read: at the next look.
        if (run === undefined) continue;
        known.add(name);
        for (const entry of entries) see(run, entry, true);
      }
      for (const { run, seq } of [...open.values()])
        for (const entry of await readRunAfter(state, run.run, seq, call)) see(run, entry, true);
    }

    return {
      name: 'watch of the runs',
      async run(signal) {
        let said: string | undefined;
        const tick = async () => {
          try {
            const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
            await (looked ? follow(call) : begin(call));
            said = undefined;
          } catch (error) {
            const why = describeError(error);
            if (!signal.aborted && why !== said) log.debug({}, `the journal can't be looked at now: ${why}`);
            said = why;
          }
        };
        await every(periodMs, tick, clock, signal);
      },
    };
  };
}
