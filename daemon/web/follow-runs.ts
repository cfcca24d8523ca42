import type { Clock } from '../../domain/clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type ActingWatch, unlessActed } from '../../state/acting-watch.ts';
import { inspectRun, type JournalEntry, listRuns, readRunAfter } from '../../state/journal.ts';
import { readLease } from '../../state/lease.ts';
import { foldRun } from '../../state/run-record.ts';
import { watchLease } from '../lease-watch.ts';
import type { Service } from '../service.ts';
import { every } from '../supervise.ts';
import type { Board } from './board.ts';
import { type RunView, runView } from './run-view.ts';

export interface FollowRunsParts {
  readonly board: Board;
  readonly state: ObjectStore;
  readonly clock: Clock;
  /** Default 1 s while a run is open, else twice that. */
  readonly periodMs?: number;
  /** While nobody acts the runs are not listed again. Absent: they are, at each look. */
  readonly acting?: ActingWatch;
}

const shown = 20;
const callMs = 10_000;
/** Whoever follows the roles has looked at who acts within this. */
const lookMs = 1_000;

/** Shows the newest runs, and each of their steps as it goes on, whoever carries them out and wherever. */
export function followRuns(parts: FollowRunsParts): Service {
  const { board, state, clock, periodMs = 1_000 } = parts;
  const namesNow = unlessActed({ ...parts, notOlderMs: lookMs }, (call) => listRuns(state, call));
  // Of a run that has ended only its view is kept; a journal is never read twice.
  const ended = new Map<string, RunView>();
  const open = new Map<string, readonly JournalEntry[]>();
  const lives = watchLease();
  let idleTicks = 0;
  let last = '';

  async function look(signal: AbortSignal): Promise<void> {
    if (open.size === 0 && idleTicks++ % 2 === 1) return;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
    const names = (await namesNow(call)).slice(-shown).reverse();
    for (const known of [...ended.keys(), ...open.keys()]) {
      if (names.includes(known)) continue;
      ended.delete(known);
      open.delete(known);
    }
    const views = new Map<string, RunView>();
    for (const run of names) {
      const before = open.get(run);
      if (ended.has(run)) continue;
      const entries = before
        ? [...before, ...(await readRunAfter(state, run, before.length, call))]
        : (await inspectRun(state, run, call)).entries;
      const record = foldRun(entries);
      if (record === undefined) continue;
      if (record.status === 'running') {
        open.set(run, entries);
        views.set(run, runView(record, await isAttended(run, call)));
      } else {
        open.delete(run);
        ended.set(run, runView(record, false));
      }
    }
    const runs = names.flatMap((run) => views.get(run) ?? ended.get(run) ?? []);
    const text = JSON.stringify(runs);
    if (text !== last) board.put({ runs });
    last = text;
  }

  async function isAttended(run: string, call: { readonly signal: AbortSignal }): Promise<boolean> {
    const lease = await readLease(state, call);
    return lives(lease, clock.monotonic()) && lease.run === run;
  }

  return {
    name: 'runs of the page',
    // What fails is told, and tried again, by whoever runs this.
    run: (signal) => every(periodMs, () => look(signal), clock, signal),
  };
}
