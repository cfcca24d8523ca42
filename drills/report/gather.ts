import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { StateCorrupt } from '../../state/document.ts';
import { drillState, stateOfRun } from '../../state/drills.ts';
import { inspectRuns } from '../../state/inspect-runs.ts';
import { inspectLinkedRun, listRuns } from '../../state/journal.ts';
import { readRecount } from '../../state/recounts.ts';
import { readRescued } from '../../state/rescued.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { type Sample, samplesBetween, samplesOfRun } from '../../state/samples.ts';
import type { ReportFacts } from './facts.ts';
import { fieldOf } from './steps-of.ts';

/** Runbooks whose runs a report is of interest for; the others (fences, rollbacks) have one, too, when they are named. */
const reported = ['failover', 'switchover', 'failback', 'drill'];

/** The newest run that a report is of interest for; `RunMissing` (exit code 2) when there is none. */
export async function newestRun(state: ObjectStore, options: CallOptions = {}): Promise<string> {
  const runs = await allRuns(state, options);
  const newest = runs.findLast((run) => reported.includes(run.split('-')[1] ?? ''));
  if (newest !== undefined) return newest;
  throw new ArgusError('RunMissing', 'there is no run yet that a report could be of', { exitCode: 2 });
}

/** The names of all runs and drills, oldest first. */
export async function allRuns(state: ObjectStore, options: CallOptions = {}): Promise<readonly string[]> {
  const [runs, drills] = await Promise.all([listRuns(state, options), listRuns(drillState(state), options)]);
  return [...runs, ...drills].sort();
}

/** Everything that is known of a run. `RunMissing` (exit code 2) for one that isn't there. */
export async function gatherFacts(
  state: ObjectStore,
  run: string,
  about: Pick<ReportFacts, 'objectives' | 'madeAtMs' | 'version'>,
  options: CallOptions = {},
): Promise<ReportFacts> {
  const inspected = await inspectLinkedRun(stateOfRun(state, run), run, options);
  const record = foldRun(inspected.entries);
  if (record === undefined) {
    const { fault } = inspected;
    throw fault === undefined
      ? new ArgusError('RunMissing', `no run is called ${run}`, { exitCode: 2, hint: '`argus runs list` shows all' })
      : new ArgusError('JournalTampered', `the journal of ${run} can't be read: ${fault.key}: ${fault.why}`, {
          exitCode: 3,
        });
  }
  const [samples, later, others] = await Promise.all([
    samplesAround(state, record, options),
    countedLater(state, record, options),
    near(state, record, options),
  ]);
  return { ...about, ...{ inspected, record, samples, others }, ...later };
}

/** What was counted after a run of what it could only estimate. */
async function countedLater(
  state: ObjectStore,
  { run, runbook, details }: RunRecord,
  options: CallOptions,
): Promise<Pick<ReportFacts, 'recount' | 'rescued'>> {
  const epoch = fieldOf(details, 'rolesEpoch');
  const promotion = runbook === 'failover' && typeof epoch === 'number' ? epoch + 1 : undefined;
  const [recount, rescued] = await Promise.all([
    readRecount(state, run, options),
    promotion === undefined ? undefined : readRescued(state, promotion, options),
  ]);
  return { ...(recount === undefined ? {} : { recount }), ...(rescued === undefined ? {} : { rescued }) };
}

/** So much before and after the run as it takes to see what it changed: as long as itself, in bounds. */
async function samplesAround(state: ObjectStore, record: RunRecord, options: CallOptions): Promise<readonly Sample[]> {
  const aroundMs = Math.min(10 * 60_000, Math.max(90_000, record.lastAtMs - record.startedAtMs));
  const [fromMs, toMs] = [record.startedAtMs - aroundMs, record.lastAtMs + aroundMs];
  const kept = await samplesOfRun(state, record.run, options);
  const all = kept ?? (await samplesBetween(state, fromMs, toMs, options));
  return all.filter((s) => s.atMs >= fromMs && s.atMs <= toMs);
}

/** The runs shortly before and after, among which are those of the same move, and the ones that a drill names. */
async function near(state: ObjectStore, record: RunRecord, options: CallOptions): Promise<readonly RunRecord[]> {
  const parts = fieldOf(record.report, 'runs');
  const named = Array.isArray(parts) ? parts.filter((p) => typeof p === 'string') : [];
  const same = (await listRuns(stateOfRun(state, record.run), options)).filter(
    (run) => run.split('-')[1] === record.runbook,
  );
  const at = same.indexOf(record.run);
  const runs = [...new Set([...same.slice(Math.max(0, at - 30), at + 5), ...named])];
  const read = await inspectRuns(runs, (run) => stateOfRun(state, run), options);
  return read.flatMap(({ entries }) => foldRun(entries) ?? []);
}

/** Two objects each: what a store is asked at once must not grow with history. */
const countedAtOnce = 12;

/**
 * The records of all runs and drills that a trend is of; those whose journal can't be read are left out and named, and so
 * is what was counted after a run where that can't be.
 */
export async function gatherTrend(
  state: ObjectStore,
  options: CallOptions = {},
): Promise<{
  readonly records: readonly RunRecord[];
  /** Of failovers, by run. */
  readonly later: ReadonlyMap<string, Pick<ReportFacts, 'recount' | 'rescued'>>;
  readonly unreadable: readonly string[];
  /** Failovers after which something was counted that is not what Argus writes. */
  readonly uncounted: readonly { readonly run: string; readonly error: StateCorrupt }[];
}> {
  const runs = (await allRuns(state, options)).filter((run) => reported.includes(run.split('-')[1] ?? ''));
  const read = await inspectRuns(runs, (run) => stateOfRun(state, run), options);
  const folded = read.map(({ entries }) => foldRun(entries));
  const records = folded.filter((record) => record !== undefined);
  const failovers = records.filter((record) => record.runbook === 'failover');
  const counted = await eachAtOnce(failovers, countedAtOnce, async (record) => {
    const { run } = record;
    try {
      return { run, later: await countedLater(state, record, options) };
    } catch (error) {
      if (error instanceof StateCorrupt) return { run, error };
      throw error;
    }
  });
  return {
    records,
    later: new Map(counted.flatMap(({ run, later }) => (later === undefined ? [] : [[run, later] as const]))),
    uncounted: counted.flatMap(({ run, error }) => (error === undefined ? [] : { run, error })),
    unreadable: runs.filter((_, i) => folded[i] === undefined || read[i]?.fault !== undefined),
  };
}
