import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { config, newWorld, roles, type World } from './world.ts';

type Change = (context: Omit<FailoverContext, 'epoch'>, world: World) => unknown;
const away = () => Promise.reject(new ArgusError('FlinkUnreachable', 'connect timed out'));
const running = { id: 'ab', name: 'counts', state: 'RUNNING', startedAtMs: 1 };

const rows: readonly (readonly [what: string, code: string, change: Change])[] = [
  ['a primary that nobody saw stopped', 'PrimaryUnfenced', (c) => Object.assign(c, { acceptUnfenced: false })],
  ['no recovery point', 'NoRecoveryPoint', (c) => Object.assign(c, { chooseRecoveryPoints: async () => new Map() })],
  [
    "a standby's Flink that does not answer",
    'StandbyUnreachable',
    (c) => Object.assign(c.standby.flink, { list: away }),
  ],
  [
    "a standby's Kafka that does not answer",
    'StandbyUnreachable',
    (c) => Object.assign(c.standby.kafka, { logRanges: away }),
  ],
  ['a replica that does not answer', 'StandbyUnreachable', (c) => Object.assign(c, { chooseRecoveryPoints: away })],
  [
    'a standby without room',
    'NoSlots',
    (c) => Object.assign(c.standby.flink, { slots: async () => ({ free: 1, total: 4 }) }),
  ],
  [
    'a job of that name on the standby',
    'ForeignJob',
    (c) => Object.assign(c.standby.flink, { list: async () => [running] }),
  ],
  [
    'a topic that was never mirrored',
    'TopicMissing',
    (c) => Object.assign(c, { config: { ...config, topics: ['events', 'orders'] } }),
  ],
  ['a name that holds something else', 'NameHoldsOther', (c) => c.names.records.setContent('r1', '192.0.2.1', {})],
  ['a name without a record', 'NameMissing', (c) => Object.assign(c.names.records, { find: async () => [] })],
  ['a DNS provider that does not answer', 'NamesUnreachable', (c) => Object.assign(c.names.records, { find: away })],
  [
    'roles to whose standby nothing is mirrored',
    'ReplicationSuspended',
    (c) => Object.assign(c, { roles: { ...roles, replication: 'suspended' } }),
  ],
  [
    'a lease that somebody else holds',
    'LeaseHeld',
    async (_, world) => {
      const request = { holder: 'somebody', purpose: 'failover', ttlMs: 10_000, waitMs: 0 };
      const answer = await acquireLease(world.store, request, world.clock);
      if (answer.kind === 'acquired') answer.lease.keepRenewed();
    },
  ],
];

/** Every object of the state but the lease, with its bytes. */
async function stateOf(store: ObjectStore) {
  const { objects } = await store.list('');
  return objects.filter((o) => o.key !== 'lease').map((o) => [o.key, o.etag]);
}

describe('a failover is refused with exit code 3, a reason and what to do, and changes nothing:', () => {
  test.each(rows)('%s is %s', async (_, code, change) => {
    const world = await started();
    await change(world.context, world);
    const before = await stateOf(world.store);
    const effects = [...world.effects];
    const refused = await failOver(world, confirming(world)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ArgusError);
    expect(refused).toMatchObject({
      code,
      exitCode: 3,
      message: expect.stringMatching(/\w/),
      hint: expect.stringMatching(/\w/),
    });
    expect(await stateOf(world.store)).toEqual(before);
    expect(world.effects).toEqual(effects);
  });

  test('a journal that was changed', async () => {
    const world = await started();
    const { run } = await failOver(world, confirming(world));
    const { objects } = await world.store.list(`journal/${run}/`);
    const found = await world.store.get(objects[0]!.key);
    const changed = Buffer.from(found!.body).toString('utf8').replace('me@here', 'you@there');
    await world.store.put(objects[0]!.key, Buffer.from(changed));
    const refused = directionOf(world.store, roles);
    await expect(refused).rejects.toMatchObject({ code: 'JournalTampered', exitCode: 3, hint: expect.any(String) });
  });
});

test('a state that goes away before the first write stops the run, and nothing was done', async () => {
  const memory = memoryObjectStore('state');
  let reachable = true;
  const gone = () => Promise.reject(new ArgusError('StoreUnreachable', 'connect timed out'));
  const store: ObjectStore = { ...memory, put: (...args) => (reachable ? memory.put(...args) : gone()) };
  const world = newWorld({ store });
  const outage = { atMs: world.clock.now(), source: 'run-start' as const };
  const plan = await prepareFailover(world.context, outage);
  reachable = false;
  const run = runFailover({ context: world.context, outage, plan, holder: 'me' });
  await expect(run).rejects.toMatchObject({ code: 'StoreUnreachable' });
  expect(world.effects).toEqual([]);
});
