import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { claimedEpoch } from '../../state/guard.ts';
import { listRuns, readRuns } from '../../state/journal.ts';
import { newestRoleGrant } from '../../state/role-grant.ts';
import { readRoles } from '../../state/roles.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { decideDirection } from '../failover/direction.ts';
import type { RoleView } from './decide-role.ts';

const takesRole = /-(failover|switchover)-/;
/** Older ones can't be open under the roles in force. */
const newestRuns = 20;

/**
 * Looks at what the state says of a region's role; nothing is remembered from an earlier look but runs that have ended.
 * The roles are read first and last: when they changed in between it is looked again. Reads only, the state alone: a
 * failover leaves its claim there before it leaves it with the witness, and takes it away there last.
 */
export function roleLook(store: ObjectStore): (region: string, options?: CallOptions) => Promise<RoleView> {
  const ended = new Map<string, RunRecord>();
  return async (region, options = {}) => {
    for (;;) {
      const before = await readRoles(store, options);
      const [grant, claimed, open] = await Promise.all([
        newestRoleGrant(store, options),
        claimedEpoch(store, region, options),
        before?.primary === region ? openRuns(store, before, ended, options) : [],
      ]);
      const roles = await readRoles(store, options);
      if (roles?.epoch !== before?.epoch) continue;
      return {
        region,
        roles,
        open,
        ...(grant === undefined ? {} : { grant }),
        ...(claimed === undefined ? {} : { claimedEpoch: claimed }),
      };
    }
  };
}

/** Runs that are to change these roles, without those that are done or were wholly taken back. */
async function openRuns(
  store: ObjectStore,
  roles: Parameters<typeof decideDirection>[0],
  ended: Map<string, RunRecord>,
  options: CallOptions,
): Promise<readonly RunRecord[]> {
  const names = (await listRuns(store, options)).filter((run) => takesRole.test(run)).slice(-newestRuns);
  const unknown = names.filter((run) => !ended.has(run));
  const read = new Map<string, RunRecord>();
  for (const entries of await readRuns(store, unknown, options)) {
    const record = foldRun(entries);
    if (record === undefined) continue;
    read.set(record.run, record);
    if (record.status !== 'running') ended.set(record.run, record);
  }
  const records = names.flatMap((run) => read.get(run) ?? ended.get(run) ?? []);
  return ['failover', 'switchover'].flatMap(
    (runbook) =>
      decideDirection(
        roles,
        undefined,
        records.filter((r) => r.runbook === runbook),
      ).open,
  );
}
