import { collectStatus } from '../../health/collect-status.ts';
import { assembleStatus } from '../../health/status.ts';
import type { StatusView } from '../../health/status-view.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type AutomaticStanding, readStanding } from '../../state/decisions.ts';
import { drillState } from '../../state/drills.ts';
import { inspectRun, listRuns } from '../../state/journal.ts';
import { readLease } from '../../state/lease.ts';
import type { Readiness } from '../../state/readiness.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { standingIsFresh } from '../render-automatic.ts';

/** How things stand at one instant. */
export interface Look {
  readonly status: StatusView;
  readonly objectives: { readonly rto: number; readonly rpo: number };
  /** The daemon's newest word; absent: there is none. */
  readonly readiness?: Readiness;
  /** Verdicts and what automatic mode makes of them; absent: no daemon tells now. */
  readonly standing?: AutomaticStanding;
  /** The newest drill; absent: there was none, or it can't be told. */
  readonly drill?: Pick<RunRecord, 'run' | 'status' | 'startedAtMs' | 'report'>;
  /** Why the state can't be read; absent: it can. */
  readonly stateAway?: string;
}

const readMs = 2_000;

/** Looks once, by the code of `argus status`. Each look is bounded by itself; never throws but when it is to end. */
export async function look(
  { clock, signal }: Pick<CommandContext, 'clock' | 'signal'>,
  { config, regions, names, state }: Composition,
  before: Look | undefined,
): Promise<Look> {
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]) };
  const [facts, standing, drill] = await Promise.all([
    collectStatus({ config, regions: [...regions.values()], names, state, clock, signal }),
    // A state that can't be read is told by the status itself.
    readStanding(state, call).catch(() => undefined),
    newestDrill(state, before?.drill, clock.now(), call).catch(() => before?.drill),
  ]);
  signal.throwIfAborted();
  const { roles } = facts;
  const readiness = facts.readiness?.value;
  return {
    status: assembleStatus(facts),
    objectives: config.objectives,
    ...(readiness === undefined ? {} : { readiness }),
    ...(standing && standingIsFresh(standing, clock.now()) ? { standing } : {}),
    ...(drill === undefined ? {} : { drill }),
    ...(roles.status === 'ok' ? {} : { stateAway: roles.reason ?? 'it does not answer' }),
  };
}

const silentLeaseMs = 30_000;

/** One that has ended isn't read again. */
async function newestDrill(
  state: ObjectStore,
  before: Look['drill'],
  nowMs: number,
  call: { readonly signal: AbortSignal },
): Promise<Look['drill']> {
  const drills = drillState(state);
  const run = (await listRuns(drills, call)).at(-1);
  if (run === undefined) return undefined;
  if (run === before?.run && before.status !== 'running') return before;
  const [{ entries }, lease] = await Promise.all([inspectRun(drills, run, call), readLease(drills, call)]);
  const record = foldRun(entries);
  if (record === undefined) return undefined;
  const alive = lease?.run === run && lease.released !== true && nowMs - lease.writtenAtMs < silentLeaseMs;
  return record.status === 'running' && !alive ? { ...record, status: 'interrupted' } : record;
}
