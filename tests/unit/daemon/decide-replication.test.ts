import { describe, expect, it } from 'vitest';
import { decideReplication, decideWithoutState, type FreezeFacts } from '../../../daemon/decide-replication.ts';
import type { Roles } from '../../../domain/roles.ts';

const roles = (changes: Partial<Roles> = {}): Roles => ({
  epoch: 1,
  primary: 'mumbai',
  standby: 'singapore',
  replication: 'active',
  atMs: 1_000,
  by: 'ops@host',
  ...changes,
});
const freeze = (changes: Partial<FreezeFacts> = {}): FreezeFacts => ({
  epoch: 7,
  run: 'run-a',
  drainMs: 3_000,
  confirmed: false,
  ...changes,
});
const run = { kind: 'run', source: 'mumbai', target: 'singapore', rolesEpoch: 1 };

describe('decideReplication', () => {
  it.each([
    ['does nothing before roles are written', undefined, undefined, { kind: 'idle' }],
    ['replicates from primary to standby under active roles', roles(), undefined, run],
    [
      'never replicates under suspended roles, whoever starts it',
      roles({ epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'suspended', run: 'run-a' }),
      undefined,
      { kind: 'idle', why: 'singapore was promoted (roles epoch 2): replication is suspended until a failback' },
    ],
    ['freezes when asked', roles(), freeze(), { kind: 'freeze', epoch: 7, run: 'run-a', drainMs: 3_000 }],
    [
      'stays frozen once confirmed, also when the asking run is dead',
      roles(),
      freeze({ confirmed: true }),
      { kind: 'frozen', epoch: 7 },
    ],
    ['suspended roles win over a freeze', roles({ epoch: 2, replication: 'suspended' }), freeze(), { kind: 'idle' }],
  ] as const)('%s', (_rule, r, f, expected) => {
    expect(decideReplication(r, f)).toMatchObject(expected);
  });
});

describe('decideWithoutState', () => {
  it.each([
    ['what runs goes on for the grace period', true, 5_000, 'keep'],
    ['what runs stops after it', true, 60_000, 'stop'],
    ['nothing is started', false, 0, 'stop'],
  ] as const)('%s', (_rule, running, forMs, expected) => {
    expect(decideWithoutState(running, forMs, 60_000)).toBe(expected);
  });
});
