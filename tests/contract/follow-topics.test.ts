import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TopicFollower, type TopicFollowerParts, topicFollower } from '../../daemon/follow-topics.ts';
import { runMirror } from '../../daemon/run-mirror.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { verifyTopics } from '../../replication/topics/verify.ts';
import { readFollowedTopics } from '../../state/followed-topics.ts';
import { changeMirrorPause } from '../../state/mirror-pause.ts';
import { changeMirrorThrottle } from '../../state/mirror-throttle.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

let brokers: TestBroker[];
let admins: PlatformaticAdmin[];
let regions: Map<string, Region>;
const names = ['mumbai', 'singapore'] as const;
const direction = { source: 'mumbai', target: 'singapore', rolesEpoch: 1 };

beforeAll(async () => {
  brokers = await Promise.all(names.map(() => startTestBroker()));
  admins = brokers.map((b, i) => new PlatformaticAdmin({ region: names[i] ?? '', bootstrap: [b.address] }));
  regions = new Map(
    names.map((name, i): [string, Region] => {
      const endpoint = { name, bootstrap: [brokers[i]?.address ?? ''] };
      return [name, { name, brokers: endpoint, kafka: admins[i] } as unknown as Region];
    }),
  );
});
afterAll(async () => {
  await Promise.all((admins ?? []).map((a) => a.close()));
  await Promise.all((brokers ?? []).map((b) => b.stop()));
});

const admin = (side: 0 | 1) => admins[side] as PlatformaticAdmin;
const kafkajs = () => new Kafka({ brokers: [brokers[0]?.address ?? ''], logLevel: logLevel.NOTHING });
const make = (name: string, partitions = 1) => admin(0).createTopic({ name, partitions, configs: {} });

/** By a producer of its own: kafkajs' keeps a topic's partitions as they were. */
async function write(topic: string, count: number, partition = 0): Promise<void> {
  const producer: Producer = kafkajs().producer({ retry: { retries: 20 } });
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => ({ partition, value: `${topic}-${i}-${Math.random()}` }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

interface Following {
  readonly state: ReturnType<typeof memoryObjectStore>;
  readonly log: ReturnType<typeof quietLog>;
  readonly follower: TopicFollower;
  status(): MirrorStatus | undefined;
}

async function following(
  topics: TopicFollowerParts['config']['topics'] | { include: string[]; exclude: string[] },
  use: (f: Following) => Promise<void>,
): Promise<void> {
  const state = memoryObjectStore('state');
  const log = quietLog();
  let status: MirrorStatus | undefined;
  const patterns = Array.isArray(topics) ? undefined : (topics as { include: string[]; exclude: string[] });
  const follower = topicFollower({
    config: patterns ? { topics: [], topicPatterns: patterns } : { topics: topics as string[] },
    regions,
    state,
    clock: wallClock,
    log,
    configPeriodMs: 1_000,
    start: (settings) =>
      runMirror(settings, {
        clock: wallClock,
        mayWrite: () => true,
        onStatus: (now) => {
          status = now;
        },
      }),
  });
  const stopping = new AbortController();
  const mirror = await follower.open(direction, stopping.signal);
  const running = follower.run(direction, stopping.signal);
  try {
    await use({ state, log, follower, status: () => status });
  } finally {
    stopping.abort();
    await Promise.all([running, mirror.stop()]);
  }
}

const partition = (f: Following, topic: string, n = 0) =>
  f.status()?.topics[topic]?.partitions.find((p) => p.partition === n);
const mirrored = (f: Following, topic: string, n = 0) => expect.poll(() => partition(f, topic, n)?.mirroredEndOffset);

async function expectSame(topic: string, partitions: number): Promise<void> {
  const ranges = await verifyTopics({
    source: { name: 'mumbai', bootstrap: [brokers[0]?.address ?? ''] },
    target: { name: 'singapore', bootstrap: [brokers[1]?.address ?? ''] },
    partitions: Array.from({ length: partitions }, (_, p) => ({ topic, partition: p })),
    compacted: new Set(),
    clock: wallClock,
    signal: AbortSignal.timeout(20_000),
  });
  expect(ranges.filter((r) => r.difference)).toEqual([]);
}

describe('following topics', () => {
  test('takes up new topics and partitions within 10 s, by patterns, and leaves out what they exclude', async () => {
    await make('orders-eu');
    await make('orders-test');
    await following({ include: ['orders-*', 'absent-?'], exclude: ['*-test'] }, async (f) => {
      await write('orders-eu', 10);
      await mirrored(f, 'orders-eu').toBe(10n);
      expect(f.follower.names()).toEqual(['orders-eu']);
      await make('orders-us', 2);
      await admin(0).growTopic('orders-eu', 3);
      await write('orders-us', 5, 1);
      await write('orders-eu', 7, 2);
      await mirrored(f, 'orders-us', 1).toBe(5n);
      await mirrored(f, 'orders-eu', 2).toBe(7n);
      await expectSame('orders-eu', 3);
      expect((await admin(1).describeTopics()).has('orders-test')).toBe(false);
      expect(Object.keys((await readFollowedTopics(f.state, 1)) ?? {})).toEqual(['orders-eu', 'orders-us']);
    });
  });

  test('carries configurations over when they change, and never the mirror`s own', async () => {
    await make('configured');
    await following(['configured'], async () => {
      await admin(0).alterTopicConfigs('configured', { 'retention.ms': '123456', 'compression.type': 'gzip' });
      const there = () => admin(1).topicConfigs('configured');
      await expect.poll(async () => (await there()).get('retention.ms')).toBe('123456');
      expect((await there()).get('compression.type')).toBe('producer');
    });
  });

  test('stops a topic that was made anew, by its id, and mirrors it again once the standby`s was deleted', async () => {
    await make('anew');
    const raw = [0, 1].map((i) =>
      new Kafka({ brokers: [brokers[i]?.address ?? ''], logLevel: logLevel.NOTHING }).admin(),
    );
    await Promise.all(raw.map((a) => a.connect()));
    await following(['anew'], async (f) => {
      await write('anew', 4);
      await mirrored(f, 'anew').toBe(4n);
      await expect.poll(async () => (await readFollowedTopics(f.state, 1))?.anew).toBeDefined();
      await raw[0]?.deleteTopics({ topics: ['anew'] });
      await expect.poll(async () => (await admin(0).describeTopics()).has('anew')).toBe(false);
      await make('anew');
      await expect.poll(() => partition(f, 'anew')?.stop?.reason).toBe('TopicRecreated');
      expect((await admin(1).logRanges([{ topic: 'anew', partition: 0 }]))[0]?.logEndOffset).toBe(4n);
      await raw[1]?.deleteTopics({ topics: ['anew'] });
      await write('anew', 9);
      await expect.poll(() => partition(f, 'anew')?.stop).toBeUndefined();
      await mirrored(f, 'anew').toBe(9n);
      await expectSame('anew', 1);
    });
    await Promise.all(raw.map((a) => a.disconnect()));
  });

  test('reads a topic no faster than the state says, and as fast as it goes when that is taken back', async () => {
    await make('throttled');
    await following(['throttled'], async (f) => {
      await write('throttled', 3);
      await mirrored(f, 'throttled').toBe(3n);
      const slow = { bytesPerSecond: 1, by: 'me@here', atMs: 1 };
      await changeMirrorThrottle(f.state, (t) => ({ ...t, topics: { throttled: slow } }));
      // One batch comes whole; at a byte a second the next one is then far away.
      await expect
        .poll(
          async () => {
            await write('throttled', 1);
            return partition(f, 'throttled')?.lagRecords;
          },
          { timeout: 15_000, interval: 200 },
        )
        .toBeGreaterThan(8);
      expect(partition(f, 'throttled')?.state).toBe('mirroring');
      await changeMirrorThrottle(f.state, () => ({ topics: {} }));
      await expect.poll(() => partition(f, 'throttled')?.lagRecords).toBe(0);
    });
  });

  test('pauses a topic and goes on with it, without a gap, while others go on', async () => {
    await make('paused');
    await make('others');
    await following(['paused', 'others'], async (f) => {
      await write('paused', 3);
      await mirrored(f, 'paused').toBe(3n);
      await changeMirrorPause(f.state, (p) => ({ ...p, topics: { paused: { by: 'me@here', atMs: 1 } } }));
      await expect.poll(() => partition(f, 'paused')?.stop?.reason).toBe('Paused');
      await write('paused', 5);
      await write('others', 5);
      await mirrored(f, 'others').toBe(5n);
      await expect.poll(() => partition(f, 'paused')?.lagRecords).toBe(5);
      await changeMirrorPause(f.state, (p) => ({ ...p, topics: {} }));
      await mirrored(f, 'paused').toBe(8n);
      await expectSame('paused', 1);
    });
  });
});
