import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { RunFacts } from '../health/metrics/run-series.ts';
import type { Metrics } from '../health/metrics.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type ActingWatch, unlessActed } from '../state/acting-watch.ts';
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
  /** While nobody acts the runs are not listed again. Absent: they are, at each look. */
  readonly acting?: ActingWatch;
}

/** How many of the newest runs are looked at when the daemon begins. */
const readAtStart = 50;
const readAtOnce = 8;
/** For each run of its own, so that many don't take the time of one. */
const callMs = 10_000;
/** Whoever follows the roles has looked at who acts within this. */
const lookMs = 1_000;

type Within = () => { readonly signal: AbortSignal };

interface OpenRun {
  readonly run: WatchedRun;
  readonly seq: number;
  readonly lastAtMs: number;
}

/**
 * Tells of every run in the journal as it goes on, whoever carries it out and wherever: the daemon's events and the
 * series of runs come from here. A run that is under way when the daemon begins is told as begun.
 */
export function watchRuns(parts: WatchRunsParts): MakeService {
  const { state, clock, log, metrics, periodMs = 2_000 } = parts;
  const namesNow = unlessActed({ ...parts, notOlderMs: lookMs }, (call) => listRuns(state, call));
  const known = new Set<string>();
  const open = new Map<string, OpenRun>();
  const last = new Map<string, NonNullable<RunFacts['runs']>['last'][number]>();
  /** Of the runs that were there when it began, those that were not read yet; undefined: it doesn't know which there are. */
  let toRead: readonly string[] | undefined;
  metrics.also(() => {
    if (toRead?.length !== 0) return {};
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
      if (news?.kind === 'run-ended' && news.outcome === 'done' && atMs >= (last.get(run.runbook)?.endedAtMs ?? 0)) {
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

    /** Goes on where it was broken off: what was read once is not told again. */
    async function begin(within: Within): Promise<void> {
      if (toRead === undefined) {
        const runs = await listRuns(state, within());
        for (const name of runs) known.add(name);
        toRead = runs.slice(-readAtStart);
      }
      while (toRead.length > 0) {
        const some = toRead.slice(0, readAtOnce);
        const read = await Promise.allSettled(some.map((name) => inspectRun(state, name, within())));
        for (const answer of read) if (answer.status === 'fulfilled') seeFromStart(answer.value.entries);
        const failed = some.filter((_, i) => read[i]?.status === 'rejected');
        // The others first: one that can't be read holds up none.
        toRead = [...toRead.slice(readAtOnce), ...failed];
        const failure = read.find((answer) => answer.status === 'rejected');
        if (failure) throw failure.reason;
      }
    }

    function seeFromStart(entries: readonly JournalEntry[]): void {
      const run = entries[0] && watchedRun(entries[0]);
      if (run === undefined) return;
      const ended = entries.at(-1)?.fact.kind === 'run-finished';
      for (const [i, entry] of entries.entries()) see(run, entry, !ended && i === 0);
    }

    async function follow(within: Within): Promise<void> {
      for (const name of await namesNow(within())) {
        if (known.has(name)) continue;
        const entries = await readRunAfter(state, name, 0, within());
        const run = entries[0] && watchedRun(entries[0]);
        // Listed a moment before its first entry can be read: at the next look.
        if (run === undefined) continue;
        known.add(name);
        for (const entry of entries) see(run, entry, true);
      }
      for (const { run, seq } of [...open.values()])
        for (const entry of await readRunAfter(state, run.run, seq, within())) see(run, entry, true);
    }

    return {
      name: 'watch of the runs',
      async run(signal) {
        const said = new Map<unknown, string>();
        const within = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) });
        const attempt = async (act: (within: Within) => Promise<void>) => {
          try {
            await act(within);
            said.delete(act);
          } catch (error) {
            const why = describeError(error);
            if (!signal.aborted && why !== said.get(act)) log.warn({}, `the journal can't be looked at now: ${why}`);
            said.set(act, why);
          }
        };
        const tick = async () => {
          await attempt(begin);
          // New ones are followed also while some of the old ones can't be read.
          if (toRead !== undefined) await attempt(follow);
        };
        await every(periodMs, tick, clock, signal);
      },
    };
  };
}
