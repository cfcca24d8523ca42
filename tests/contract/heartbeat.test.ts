import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { topicFollower } from '../../daemon/follow-topics.ts';
import { type Heartbeat, heartbeat } from '../../daemon/heartbeat.ts';
import { runMirror } from '../../daemon/run-mirror.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { mirrorSection } from '../../domain/mirror-config.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

const names = ['mumbai', 'singapore'] as const;
const topic = 'argus.heartbeat';
const direction = { source: 'mumbai', target: 'singapore', rolesEpoch: 1 };
let brokers: SecureBroker[];
const admins: PlatformaticAdmin[] = [];

beforeAll(async () => {
  brokers = await Promise.all(names.map(() => startSecureBroker({ users: ['argus'] })));
  for (const side of [0, 1] as const)
    await region(side).kafka.createTopic({ name: 'events', partitions: 1, configs: {} });
});
afterAll(async () => {
  await Promise.all(admins.map((a) => a.close()));
  await Promise.all((brokers ?? []).map((b) => b.broker.stop()));
});

/** By the listener on which everybody may do anything, or as `argus`, who may do nothing. */
function region(side: 0 | 1, user?: 'argus'): Region {
  const at = brokers[side] as SecureBroker;
  const name = names[side];
  const endpoint = user ? at.endpoint(name, user) : { name, bootstrap: [at.broker.address] };
  const kafka = new PlatformaticAdmin({ ...endpoint, region: name });
  admins.push(kafka);
  return { name, brokers: endpoint, kafka } as unknown as Region;
}

const config = { mirror: mirrorSection.parse({}) };

interface Running {
  readonly beating: Heartbeat;
  readonly log: ReturnType<typeof quietLog>;
  readonly names: () => readonly string[];
  status(): MirrorStatus | undefined;
  freeze(): ReturnType<Awaited<ReturnType<ReturnType<typeof topicFollower>['open']>>['freeze']>;
}

async function running(regions: ReadonlyMap<string, Region>, use: (r: Running) => Promise<void>): Promise<void> {
  const log = quietLog();
  const beating = heartbeat({ config, regions, clock: wallClock, log, periodMs: 200, againMs: 300 });
  let status: MirrorStatus | undefined;
  const follower = topicFollower({
    config: { topics: ['events'] },
    regions,
    state: memoryObjectStore('state'),
    clock: wallClock,
    log,
    own: beating,
    start: (settings) =>
      runMirror(settings, { clock: wallClock, mayWrite: () => true, onStatus: (now) => (status = now) }),
  });
  const stopping = new AbortController();
  const mirror = await follower.open(direction, stopping.signal);
  const loops = [follower.run(direction, stopping.signal), beating.run(direction, stopping.signal)];
  try {
    await use({ beating, log, names: follower.names, status: () => status, freeze: () => mirror.freeze(5_000) });
  } finally {
    stopping.abort();
    await Promise.all([...loops, mirror.stop()]);
  }
}

test('what is written each moment on the primary is found on the standby, at the same offsets, and is in no promotion', async () => {
  const regions = new Map(([0, 1] as const).map((side) => [names[side], region(side)]));
  await running(regions, async ({ beating, log, names: mirrored, status, freeze }) => {
    await expect.poll(() => beating.lagMs()).toBeLessThan(2_000);
    expect(status()?.topics[topic]?.partitions).toHaveLength(1);
    expect(mirrored()).toEqual(['events']);

    const read: { timestamp: string; value: Record<string, unknown> }[] = [];
    const consumer = new Kafka({
      brokers: [(brokers[1] as SecureBroker).broker.address],
      logLevel: logLevel.NOTHING,
    }).consumer({ groupId: 'anybody' });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) =>
        void read.push({ timestamp: message.timestamp, value: JSON.parse(String(message.value)) }),
    });
    await expect.poll(() => read.length).toBeGreaterThan(3);
    await consumer.disconnect();
    read.forEach(({ timestamp, value }, i) => {
      expect(value).toEqual({ region: 'mumbai', atMs: Number(timestamp), sequence: i + 1 });
    });

    // Nothing goes through any more: it grows old, and that is told.
    const stopped = await freeze();
    expect(stopped.endOffsets.map((e) => e.topic)).toEqual(['events']);
    await expect.poll(() => beating.lagMs()).toBeGreaterThan(1_500);
    expect(log.lines.filter((l) => l.level === 'warn' || l.level === 'error')).toEqual([]);
  });
  const [range] = await verifyTopics({
    source: { name: 'mumbai', bootstrap: [(brokers[0] as SecureBroker).broker.address] },
    target: { name: 'singapore', bootstrap: [(brokers[1] as SecureBroker).broker.address] },
    partitions: [{ topic, partition: 0 }],
    compacted: new Set(),
    clock: wallClock,
    signal: AbortSignal.timeout(20_000),
  });
  expect(range?.difference).toBeUndefined();
  expect(range?.records).toBeGreaterThan(3n);
  expect((await region(0).kafka.topicConfigs(topic)).get('retention.ms')).toBe('3600000');
});

test('without the rights for it the mirror goes on, and says once which are absent', async () => {
  const grants = ['READ', 'WRITE', 'DESCRIBE_CONFIGS'] as const;
  const acl = { resourceType: 'topic', patternType: 'literal', principal: 'User:argus', host: '*' } as const;
  for (const side of [0, 1] as const) {
    const events = grants.map((o) => ({ ...acl, resourceName: 'events', operation: o, permission: 'ALLOW' as const }));
    const id = {
      ...acl,
      resourceType: 'transactionalId',
      patternType: 'prefixed',
      resourceName: 'argus-mirror-',
    } as const;
    await region(side).kafka.createAcls([...events, { ...id, operation: 'WRITE', permission: 'ALLOW' }]);
  }
  const regions = new Map(([0, 1] as const).map((side) => [names[side], region(side, 'argus')]));
  await running(regions, async ({ beating, log, status }) => {
    await expect.poll(() => status()?.topics.events?.lagRecords).toBe(0);
    const warned = () => log.lines.filter((l) => l.level === 'warn').map((l) => l.message);
    await expect.poll(warned).not.toEqual([]);
    // It is tried again meanwhile, and not told again.
    await wallClock.sleep(1_500);
    expect(beating.topics()).toEqual([]);
    expect(beating.lagMs()).toBeUndefined();
    expect(warned()).toEqual([
      expect.stringMatching(/^no heartbeat goes through the mirror: .*topic argus\.heartbeat/),
    ]);
  });
});
