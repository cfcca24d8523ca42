import type { Roles } from '../../domain/roles.ts';
import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { type Json, listRuns, readRun } from '../../state/journal.ts';
import { readRolesOf } from '../../state/roles.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { type Outage, outageIn } from './outage.ts';

/** Which change of roles a failover makes now. */
export interface Direction {
  /** The roles that are to be changed. */
  readonly roles: Roles;
  /** The newest run that began this change and did not end it. */
  readonly resumes?: RunRecord;
  /** The outage that the run to be gone on with counts from. */
  readonly outage?: Outage;
}

/**
 * The change of roles that a failover makes: the one of the roles in force or, when a failover wrote those and did not
 * get to its end, that one's: going on must never turn back to the dead region.
 */
export async function directionOf(store: ObjectStore, inForce: Roles, options: CallOptions = {}): Promise<Direction> {
  const runs: RunRecord[] = [];
  // Only the newest runs can be open under the roles in force or under those before.
  for (const id of (await listRuns(store, options)).slice(-20)) {
    const run = foldRun(await readRun(store, id, options));
    if (run?.runbook === 'failover') runs.push(run);
  }
  const before = inForce.run === undefined ? undefined : await readRolesOf(store, inForce.epoch - 1, options);
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
  const open = own.slice(own.findLastIndex(wasTakenBack) + 1).filter((r) => r.status !== 'done' && hasEffects(r));
  const resumes = open.at(-1);
  const outage = open.map((r) => outageIn(r.details)).find((o) => o !== undefined);
  return {
    roles,
    ...(resumes === undefined ? {} : { resumes }),
    ...(outage === undefined ? {} : { outage }),
  };
}

const wasTakenBack = (run: RunRecord) => run.steps.some((s) => s.status === 'compensated');

/** A run that got no further than the primary's jobs has nothing that could be gone on with. */
const hasEffects = (run: RunRecord) => run.steps.some((s) => s.id !== 'stop-primary-jobs' && s.status !== 'refused');

function numberIn(details: Json, key: string): number | undefined {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return undefined;
  const value = details[key];
  return typeof value === 'number' ? value : undefined;
}
