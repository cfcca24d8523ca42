import type { Roles } from '../../domain/roles.ts';
import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { type Json, listRuns, readRuns } from '../../state/journal.ts';
import { readRolesOf } from '../../state/roles.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { type Outage, outageIn } from './outage.ts';

/** Which change of roles a failover, or a switchover, makes now. */
export interface Direction {
  /** The roles that are to be changed. */
  readonly roles: Roles;
  /** The newest run that began this change and did not end it. */
  readonly resumes?: RunRecord;
  /** Its runs that are not done, since the last one that was taken back, oldest first: also those without an effect. */
  readonly open: readonly RunRecord[];
  /** The outage that the run to be gone on with counts from. */
  readonly outage?: Outage;
}

/**
 * The change of roles that a failover makes: the one of the roles in force or, when a failover wrote those and did not
 * get to its end, that one's: going on must never turn back to the dead region.
 */
export async function directionOf(
  store: ObjectStore,
  inForce: Roles,
  {
    runbook = 'failover',
    ...options
  }: CallOptions & { readonly runbook?: 'failover' | 'switchover' | 'failback' } = {},
): Promise<Direction> {
  const runs: RunRecord[] = [];
  // Only its newest runs can be open under the roles in force or under those before. Runs of other kinds don't count:
  // fencing a returned primary may make any number of them.
  const newest = (await listRuns(store, options)).filter((run) => run.includes(`-${runbook}-`)).slice(-20);
  for (const entries of await readRuns(store, newest, options)) {
    const run = foldRun(entries);
    if (run?.runbook === runbook) runs.push(run);
  }
  // Roles that another runbook wrote are nothing to go on with: what was begun before them is void.
  const own = inForce.run?.includes(`-${runbook}-`) === true;
  const before = own ? await readRolesOf(store, inForce.epoch - 1, options) : undefined;
  return decideDirection(inForce, before, runs);
}

/** Pure part of `directionOf`; `runs` oldest first. */
export function decideDirection(inForce: Roles, before: Roles | undefined, runs: readonly RunRecord[]): Direction {
  const under = (rolesEpoch: number) => runs.filter((r) => numberIn(r.details, 'rolesEpoch') === rolesEpoch);
  const wrote = before === undefined ? [] : under(before.epoch);
  const finished = wrote.some((r) => r.status === 'done');
  const roles = before !== undefined && wrote.length > 0 && !finished ? before : inForce;
  // What was taken back is over, and with it everything before.
  const own = under(roles.epoch);
  const open = own.slice(own.findLastIndex(wasTakenBack) + 1).filter((r) => r.status !== 'done');
  const withEffects = open.filter(hasEffects);
  const resumes = withEffects.at(-1);
  const outage = withEffects.map((r) => outageIn(r.details)).find((o) => o !== undefined);
  return {
    roles,
    open,
    ...(resumes === undefined ? {} : { resumes }),
    ...(outage === undefined ? {} : { outage }),
  };
}

/** Wholly: one that died on the way back, or could not take all back, is open still. */
const wasTakenBack = ({ status, steps, notTakenBack = [] }: RunRecord) =>
  status !== 'running' && notTakenBack.length === 0 && steps.some((s) => s.status === 'compensated');

/** A run that got no further than these has nothing that could be gone on with. */
const firstSteps = ['stop-primary-jobs', 'fence-primary', 'check-ready'];
/** Nor has one that only called hooks. */
const hasEffects = (run: RunRecord) =>
  run.steps.some((s) => !firstSteps.includes(s.id) && !s.id.startsWith('hook-') && s.status !== 'refused');

function numberIn(details: Json, key: string): number | undefined {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return undefined;
  const value = details[key];
  return typeof value === 'number' ? value : undefined;
}
