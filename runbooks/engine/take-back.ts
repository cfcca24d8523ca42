import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { type Json, readRun, readRuns } from '../../state/journal.ts';
import { leaseMark, readLease } from '../../state/lease.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { askToStop, type StopRequest } from '../../state/stop-requests.ts';
import type { RunResult } from './run.ts';
import type { Step } from './step.ts';
import { foldProgress, type Progress, shapeOf } from './transitions.ts';
import { type LeasedRun, runUnderLease } from './under-lease.ts';

/** Without a sign of life for this long a run is looked at as dead; its lease decides. A live one renews every 3.3 s. */
const silentMs = 5_000;

/**
 * Asks a run to stop, and waits until it has: its record then. `dead`: it shows no sign of life, so that nobody will take
 * anything back by itself. Past the point of no return it is refused, and the run goes on, or is gone on with where the
 * wish came while that point was being noted; so is a run that has ended otherwise (`RunOver`).
 */
export async function stopRun(
  state: ObjectStore,
  run: string,
  request: StopRequest,
  clock: Clock,
  options: CallOptions = {},
): Promise<RunRecord | 'dead'> {
  let asked = false;
  let sign = '';
  let seenAt = clock.monotonic();
  for (;;) {
    const lease = await readLease(state, options);
    const entries = await readRun(state, run, options);
    const record = foldRun(entries);
    if (record === undefined) throw noSuchRun(run);
    if (record.status !== 'running') {
      if (record.stoppedBy === undefined || record.pastReturn === true) throw runOver(record);
      return record;
    }
    if (record.pastReturn) throw pastReturn(record);
    if (lease?.run !== run || lease.released === true) return 'dead';
    if (!asked) await askToStop(state, run, request, options);
    asked = true;
    const now = `${lease.renewCount} ${entries.length}`;
    if (now !== sign) seenAt = clock.monotonic();
    else if (clock.monotonic() - seenAt >= silentMs) return 'dead';
    sign = now;
    await clock.sleep(500, options.signal);
  }
}

/** What takes dead runs back: a run of the same runbook that begins no step. */
export interface TakeBack<C, F> extends Omit<LeasedRun<C, F>, 'takeBack' | 'details' | 'plannedAtLease'> {
  /** The runs of one change that are open, the oldest first: each went on with the one before. */
  readonly dead: readonly string[];
  /** Recorded with `run-started`, beside what is taken back. */
  readonly details: Readonly<Record<string, Json>>;
}

/**
 * Takes back under the lease what dead runs have begun, the last first. Refused (`PastReturn`, exit code 3) when one of
 * them passed the point of no return; somebody alive is `LeaseHeld`.
 */
export async function takeBackRuns<C, F>(options: TakeBack<C, F>): Promise<RunResult<F>> {
  const { dead, details, state, signal, ...rest } = options;
  const call = signal === undefined ? {} : { signal };
  const plannedAtLease = await leaseMark(state, call);
  const begun = new Map<string, boolean>();
  for (const entries of await readRuns(state, dead, call)) {
    const record = foldRun(entries);
    const { steps, pastReturn: past } = progressOf(options.steps, entries);
    if (record && past) throw pastReturn(record);
    for (const [id, step] of steps) begun.set(id, step !== 'refused' && step !== 'taken-back');
  }
  const takeBack = options.steps.map(({ id }) => id).filter((id) => begun.get(id) === true);
  return runUnderLease({
    ...rest,
    state,
    plannedAtLease,
    takeBack,
    details: { ...details, aborts: dead.at(-1) ?? null, takesBack: takeBack },
    ...call,
  });
}

/** A run that took others back began with what these had begun. */
function progressOf<C, F>(
  steps: readonly Step<C, F>[],
  entries: Parameters<typeof foldProgress>[1],
): Pick<Progress, 'steps' | 'pastReturn'> {
  const [first] = entries;
  const details = first?.fact.kind === 'run-started' ? first.fact.details : null;
  const begun =
    details !== null && typeof details === 'object' && !Array.isArray(details) && Array.isArray(details.takesBack)
      ? details.takesBack.filter((id) => typeof id === 'string')
      : [];
  return foldProgress(steps.map(shapeOf), entries, begun);
}

/** That no run has this name. */
export const noSuchRun = (run: string) =>
  new ArgusError('RunMissing', `no run is called ${run}`, { exitCode: 2, hint: '`argus runs list` shows all' });

/** That a run has ended: nothing of it is taken back any more. */
export function runOver({ run, status, runbook, pastReturn }: RunRecord): ArgusError {
  const left = status !== 'done' && pastReturn === true;
  return new ArgusError('RunOver', `${run} is over: ${status}`, {
    exitCode: 3,
    hint: left
      ? `it passed the point of no return: \`argus ${runbook}\` goes on with it`
      : `\`argus runs show ${run}\` shows what it did and took back`,
  });
}

const pastReturn = ({ run, runbook }: Pick<RunRecord, 'run' | 'runbook'>) =>
  new ArgusError('PastReturn', `${run} passed the point of no return: nothing of it can be taken back`, {
    exitCode: 3,
    hint: `let it end; when its process is dead, \`argus ${runbook}\` goes on with it; then fail back`,
  });
