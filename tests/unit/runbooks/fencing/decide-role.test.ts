import { describe, expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { decideRole, type RoleView } from '../../../../runbooks/fencing/decide-role.ts';
import { roleLook } from '../../../../runbooks/fencing/look-at-role.ts';
import { putClaim } from '../../../../state/guard.ts';
import { openJournal } from '../../../../state/journal.ts';
import { giveRole, newestRoleGrant } from '../../../../state/role-grant.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { virtualClock } from '../../state/virtual-clock.ts';
import { roles, runName } from '../failover/world.ts';

const inForce = { epoch: 3, primary: 'mumbai', standby: 'singapore' };
const toSingapore = { epoch: 4, region: 'singapore', run: runName(2) };
type Open = RoleView['open'][number];
const open = (over: Partial<Open> = {}): Open => ({ run: runName(1), runbook: 'failover', status: 'running', ...over });
const moves = (over: Partial<Open> = {}) => open({ runbook: 'switchover', ...over });

describe('a region may run', () => {
  test.each<[string, string, Partial<RoleView>, string]>([
    ['when the roles say that it is primary', 'mumbai', {}, 'roles 3'],
    ['not when the state holds no roles', 'mumbai', { roles: undefined }, 'RolesUnknown'],
    ['not when another is primary', 'singapore', {}, 'NotPrimary'],
    ['not when the roles know nothing of it', 'tokyo', { grant: { ...toSingapore, region: 'tokyo' } }, 'NotPrimary'],
    ['when a run gives it the next role', 'singapore', { grant: toSingapore }, 'grant 4'],
    ['not when the next role is given to another', 'mumbai', { grant: toSingapore }, 'RoleLeaves'],
    ['not by the grant of a role that it has lost', 'singapore', { grant: { ...toSingapore, epoch: 3 } }, 'NotPrimary'],
    ['not by one that is still far off', 'singapore', { grant: { ...toSingapore, epoch: 5 } }, 'NotPrimary'],
    ['by the roles, whatever grants there were', 'mumbai', { grant: { ...toSingapore, epoch: 2 } }, 'roles 3'],
    ['not when a failover claims it', 'mumbai', { claimedEpoch: 3 }, 'RoleClaimed'],
    ['though it was claimed in an earlier life', 'mumbai', { claimedEpoch: 2 }, 'roles 3'],
    ['being promoted, though it was claimed before', 'singapore', { grant: toSingapore, claimedEpoch: 3 }, 'grant 4'],
    ['not while a run takes the role, alive or dead', 'mumbai', { open: [open()] }, 'RoleLeaves'],
    [
      'not behind the point of no return',
      'mumbai',
      { open: [open({ status: 'failed', pastReturn: true })] },
      'RoleLeaves',
    ],
    ['when that run was refused or has failed before', 'mumbai', { open: [open({ status: 'refused' })] }, 'roles 3'],
    [
      'when it is on its way back: the jobs there are started again',
      'mumbai',
      { open: [moves({ takingBack: true })] },
      'roles 3',
    ],
    ['when another takes the dead one back', 'mumbai', { open: [moves(), moves({ takingBack: true })] }, 'roles 3'],
    [
      'not when one goes on that died on its way back',
      'mumbai',
      { open: [moves({ takingBack: true }), moves()] },
      'RoleLeaves',
    ],
    [
      'not while a failover goes on beside a switchover that is taken back',
      'mumbai',
      { open: [open(), moves({ takingBack: true })] },
      'RoleLeaves',
    ],
  ])('%s', (_, region, over, expected) => {
    const verdict = decideRole({ region, roles: inForce, open: [], ...over });
    expect(verdict.kind === 'granted' ? `${verdict.by} ${verdict.epoch}` : verdict.code).toBe(expected);
  });

  test('never beside another, whatever the state holds', () => {
    const grants = [
      undefined,
      ...[3, 4, 5].flatMap((epoch) => ['mumbai', 'singapore'].map((region) => ({ ...toSingapore, epoch, region }))),
    ];
    const runs = [[], [open()], [open({ pastReturn: true })], [open({ takingBack: true })]];
    for (const grant of grants) {
      for (const each of runs) {
        const may = (region: string) =>
          decideRole({ region, roles: inForce, open: each, ...(grant && { grant }) }).kind === 'granted';
        expect(may('mumbai') && may('singapore'), JSON.stringify({ grant, each })).toBe(false);
      }
    }
  });
});

test('a look reads roles, grant, claim and open runs, and again when they have changed', async () => {
  const store = memoryObjectStore('state');
  const look = roleLook(store);
  expect(await look('mumbai')).toEqual({ region: 'mumbai', roles: undefined, open: [] });
  await writeRoles(store, roles);
  expect(decideRole(await look('mumbai'))).toMatchObject({ kind: 'granted', epoch: 1, by: 'roles' });

  const journal = openJournal(store, { run: runName(1), epoch: 1 }, virtualClock());
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me', details: { rolesEpoch: 1 } });
  expect(decideRole(await look('mumbai'))).toMatchObject({
    code: 'RoleLeaves',
    why: expect.stringContaining(runName(1)),
  });
  await journal.append({ kind: 'run-finished', outcome: 'refused' });
  expect(decideRole(await look('mumbai'))).toMatchObject({ kind: 'granted' });

  await putClaim(store, 'mumbai', 1, { run: runName(2), by: 'me', atMs: 1 });
  expect(decideRole(await look('mumbai'))).toMatchObject({ code: 'RoleClaimed' });
  await giveRole(store, { epoch: 2, region: 'singapore', run: runName(2), atMs: 1 });
  await giveRole(store, { epoch: 2, region: 'singapore', run: runName(3), atMs: 2 });
  expect(await newestRoleGrant(store)).toMatchObject({ run: runName(2) });
  expect(decideRole(await look('singapore'))).toMatchObject({ kind: 'granted', epoch: 2, by: 'grant' });
  await writeRoles(store, { ...roles, epoch: 2, primary: 'singapore', standby: 'mumbai' });
  expect(decideRole(await look('singapore'))).toMatchObject({ kind: 'granted', epoch: 2, by: 'roles' });
  expect(decideRole(await look('mumbai'))).toMatchObject({ code: 'NotPrimary' });
});

test('what can not be read is no yes', async () => {
  const store = memoryObjectStore('state');
  await writeRoles(store, roles);
  const broken = roleLook({ ...store, list: () => Promise.reject(new Error('unreachable')) });
  await expect(broken('mumbai')).rejects.toThrow('unreachable');
});
