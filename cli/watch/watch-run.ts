import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { drillState, stateOfRun } from '../../state/drills.ts';
import { listRuns } from '../../state/journal.ts';
import { readLease } from '../../state/lease.ts';
import { foldRun, type RunStatus } from '../../state/run-record.ts';
import type { CommandContext } from '../context.ts';
import { aboutRecord } from '../run-about.ts';
import { hasRoom } from '../screen.ts';
import { withState } from '../session.ts';
import type { RunAbout } from '../tui/run-progress.ts';
import { usualTimes } from '../usual-times.ts';
import { followJournal, type RunNews } from './journal-feed.ts';
import { newsLine } from './news-line.ts';

/**
 * Follows a run that somebody else carries out, from its journal; undefined: the one at work, else the newest. When it
 * ends its report is printed, and the exit code is the run's; a person who leaves before that gets 0.
 */
export async function watchRun(context: CommandContext, asked: string | undefined): Promise<number> {
  const { run, status } = await withState(context, async (state, { config }) => {
    const id = asked ?? (await runToWatch(state, context.signal));
    const store = stateOfRun(state, id);
    return { run: id, status: await follow(context, store, id, config.objectives) };
  });
  if (status === undefined) return 0;
  // Each entry was printed already.
  if (!context.json) await (await import('../commands/runs-show.ts')).run(context, { id: run });
  return status === 'done' ? 0 : status === 'refused' ? 3 : 1;
}

/** How the run ended; undefined when whoever watches it left. */
async function follow(
  context: CommandContext,
  store: ObjectStore,
  run: string,
  objectives: { readonly rto: number },
): Promise<RunStatus | undefined> {
  const leave = new AbortController();
  const signal = AbortSignal.any([context.signal, leave.signal]);
  const news = followJournal({ clock: context.clock, signal }, store, run);
  let show: (told: RunNews) => void = (told) => {
    if (context.json) return context.print(JSON.stringify(told.kind === 'entry' ? told.entry : told));
    const text = newsLine(told, titles);
    if (text !== undefined) context.tell(text);
  };
  let titles: RunAbout['steps'] = [];
  let close: () => Promise<void> = async () => undefined;
  try {
    for await (const told of news) {
      if (told.kind === 'entry' && told.entry.fact.kind === 'run-started') {
        const record = foldRun([told.entry])!;
        const about = aboutRecord(record, await usualTimes(store, record.runbook, signal, run), objectives);
        titles = about.steps;
        const { screen } = context;
        if (screen !== undefined && hasRoom(screen)) {
          const { showJournal } = await import('../tui/show-journal.ts');
          const shown = await showJournal(context, screen, about, told.entry.atMs, () => leave.abort());
          close = shown.close;
          show = shown.show;
        }
      }
      show(told);
      if (told.kind === 'entry' && told.entry.fact.kind === 'run-finished') return told.entry.fact.outcome;
    }
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    await close();
  }
}

/** The run at work, of production before a drill; where nobody is, the newest of production. */
async function runToWatch(state: ObjectStore, signal: AbortSignal): Promise<string> {
  const drills = drillState(state);
  for (const store of [state, drills]) {
    const lease = await readLease(store, { signal });
    if (lease?.run !== undefined && lease.released !== true) return lease.run;
  }
  for (const store of [state, drills]) {
    const newest = (await listRuns(store, { signal })).at(-1);
    if (newest !== undefined) return newest;
  }
  throw new ArgusError('RunMissing', 'there is no run yet', { exitCode: 2 });
}
