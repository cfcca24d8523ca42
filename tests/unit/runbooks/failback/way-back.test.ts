import { describe, expect, test } from 'vitest';
import type { Roles } from '../../../../domain/roles.ts';
import { wayBack } from '../../../../runbooks/failback/way-back.ts';
import { decideDirection } from '../../../../runbooks/failover/direction.ts';
import type { RunRecord } from '../../../../state/run-record.ts';

const roles = (over: Partial<Roles>): Roles => ({
  epoch: 3,
  primary: 'singapore',
  standby: 'mumbai',
  replication: 'active',
  atMs: 1,
  by: 'me',
  ...over,
});
const promoted = roles({
  epoch: 2,
  replication: 'suspended',
  run: '20261121T103000Z-failover-0001',
  promotedAt: [{ topic: 'events', partition: 0, offset: '5' }],
});
const turned = roles({ run: '20261121T104000Z-failback-0002' });
const switchRun = '20261121T105000Z-switchover-0003';
const switched = roles({ epoch: 4, primary: 'mumbai', standby: 'singapore', run: switchRun });

/** A switchover that began with what stands on the primary. */
const switching = (rolesEpoch: number, status: RunRecord['status'], step = 'freeze-mirror'): RunRecord => ({
  run: switchRun,
  runbook: 'switchover',
  by: 'me',
  epoch: 9,
  status,
  startedAtMs: 1,
  lastAtMs: 2,
  details: { rolesEpoch },
  steps: [{ id: step, startedAtMs: 1, status: 'started' }],
});

describe('the way back from a failover', () => {
  test.each<[string, Roles, Roles | undefined, readonly RunRecord[], string]>([
    ['begins with the old primary while replication is suspended', promoted, undefined, [], 'fail-back'],
    ['waits until it follows once it is mirrored to', turned, undefined, [], 'follow'],
    ['goes on with a switchover that was cut off', turned, undefined, [switching(3, 'running')], 'switch'],
    ['also with one that wrote the roles and did not end', switched, turned, [switching(3, 'running')], 'switch'],
    ['not with one that had no effect', turned, undefined, [switching(3, 'refused', 'check-ready')], 'follow'],
    ['is at its end when the switchover is done', switched, turned, [switching(3, 'done')], 'NothingToFailBack'],
    ['does not begin where no failover was', roles({ epoch: 1 }), undefined, [], 'NothingToFailBack'],
    [
      'is none of a switchover from elsewhere',
      roles({ epoch: 1 }),
      undefined,
      [switching(1, 'running')],
      'NothingToFailBack',
    ],
  ])('%s', (_, inForce, before, runs, expected) => {
    const way = wayBack(inForce, decideDirection(inForce, before, runs));
    expect(way.kind === 'refused' ? way.error.code : way.kind).toBe(expected);
  });
});
