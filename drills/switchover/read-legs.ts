import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { inspectRun, listRuns, readRunBegin } from '../../state/journal.ts';
import { numberIn, partOf, textIn } from '../../state/json-parts.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import type { Begun } from './position.ts';
import type { Leg } from './steps.ts';

/** So many of the newest switchovers are looked at, and so many drills at once. */
const lookedAt = 20;

/** The switchover that was made under these roles, from its journal; undefined: none is done. */
export async function readLeg(
  state: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<Leg | undefined> {
  const records = await newest(state, '-switchover-', options);
  const under = records.filter((r) => numberIn(r.details, 'rolesEpoch') === rolesEpoch);
  const done = under.findLast((r) => r.status === 'done');
  const [from, to] = [textIn(done?.report, 'from'), textIn(done?.report, 'to')];
  if (done === undefined || from === undefined || to === undefined) return undefined;
  return {
    runs: under.map((r) => r.run),
    from,
    to,
    provenZero: partOf(partOf(done.report, 'rpo'), 'provenZero') === true,
    producersBlockedMs: numberIn(done.report, 'producersBlockedMs') ?? null,
    rtoMs: numberIn(done.report, 'rtoMs') ?? null,
  };
}

/** A drill by switchover that did not come to its end. */
interface BrokenDrill {
  readonly run: string;
  readonly begun: Begun;
  /** It failed for good, as its proof did. */
  readonly ended: boolean;
  /** When it was last heard of. */
  readonly lastAtMs: number;
}

/** The newest drill by switchover, where it did not come to its end. `drills`: the store of drills. */
export async function readBroken(drills: ObjectStore, options: CallOptions = {}): Promise<BrokenDrill | undefined> {
  const run = await newestBySwitchover(drills, options);
  const last = run === undefined ? undefined : foldRun((await inspectRun(drills, run, options)).entries);
  if (last === undefined || last.status === 'done') return undefined;
  const rolesEpoch = numberIn(last.details, 'rolesEpoch');
  const [from, to] = [textIn(last.details, 'from'), textIn(last.details, 'to')];
  if (rolesEpoch === undefined || from === undefined || to === undefined) return undefined;
  const ended = last.status !== 'running' && last.status !== 'interrupted';
  return { run: last.run, begun: { rolesEpoch, from, to }, ended, lastAtMs: last.lastAtMs };
}

/** However many drills of other kinds were begun since: there is a tabletop each day. */
async function newestBySwitchover(drills: ObjectStore, options: CallOptions): Promise<string | undefined> {
  const names = (await listRuns(drills, options)).filter((run) => run.includes('-drill-')).reverse();
  for (let i = 0; i < names.length; i += lookedAt) {
    const some = names.slice(i, i + lookedAt);
    const begins = await Promise.all(some.map((run) => readRunBegin(drills, run, options)));
    const found = begins.find(
      (begin) => begin?.fact.kind === 'run-started' && textIn(begin.fact.details, 'kind') === 'switchover',
    );
    if (found !== undefined) return found.run;
  }
  return undefined;
}

async function newest(store: ObjectStore, like: string, options: CallOptions): Promise<readonly RunRecord[]> {
  const names = (await listRuns(store, options)).filter((run) => run.includes(like)).slice(-lookedAt);
  const read = await Promise.all(names.map(async (run) => foldRun((await inspectRun(store, run, options)).entries)));
  return read.filter((record) => record !== undefined);
}
