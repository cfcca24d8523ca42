import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { planReseed, reseedTopic } from '../../replication/topics/reseed.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { deleteBefore } from '../support/raise-log.ts';

let primary: TestBroker;
let standby: TestBroker;
let admins: readonly [PlatformaticAdmin, PlatformaticAdmin];

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestBroker(), startTestBroker()]);
  admins = [
    new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] }),
    new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] }),
  ];
});
afterAll(async () => {
  await Promise.all((admins ?? []).map((a) => a.close()));
  await Promise.all([primary?.stop(), standby?.stop()]);
});

async function write(broker: TestBroker, topic: string, values: readonly string[]): Promise<void> {
  const producer = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  for (const value of values) {
    await producer.send({
      topic,
      messages: [
        { key: 'k', value, partition: 0, timestamp: value.startsWith('foreign') ? '1700000000001' : '1700000000000' },
      ],
    });
  }
  await producer.disconnect();
}

const sides = () => {
  const side = (name: string, broker: TestBroker, kafka: PlatformaticAdmin) => ({
    name,
    kafka,
    brokers: { name, bootstrap: [broker.address] },
  });
  return [side('mumbai', primary, admins[0]), side('singapore', standby, admins[1])] as const;
};
const options = () => ({ clock: wallClock, signal: AbortSignal.timeout(60_000) });
const many = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);
const range = async (admin: PlatformaticAdmin, topic: string) =>
  (await admin.logRanges([{ topic, partition: 0 }])).map((r) => [r.logStartOffset, r.logEndOffset]);

/** Mirrors the topic until the standby's log ends there, or partition 0 is stopped; gives why. */
async function mirrorTo(topic: string, end: bigint) {
  const [source, target] = sides();
  const { partitions } = await prepareTopics(source, target, [topic]);
  const producer = await admins[1].initProducer(`mirror-${topic}`);
  const settings = { source: source.brokers, target: target.brokers, partitions, producer };
  const mirror = new Mirror({ ...settings, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  const first = () => mirror.status().topics[topic]?.partitions[0];
  try {
    await expect
      .poll(() => first()?.stop !== undefined || first()?.mirroredEndOffset === end, { interval: 20 })
      .toBe(true);
    return first()?.stop?.reason;
  } finally {
    stopping.abort();
    await running;
  }
}

test('a standby that diverged is made anew with what was set on it, and the mirror fills it from the source`s log start', async () => {
  const topic = 'diverged';
  await admins[0].createTopic({ name: topic, partitions: 1, configs: {} });
  await admins[1].createTopic({
    name: topic,
    partitions: 1,
    configs: { 'segment.bytes': '2097152', 'retention.ms': '-1' },
  });
  await write(primary, topic, many(30));
  await write(standby, topic, [...many(12), 'foreign', 'foreign too']);
  await deleteBefore(primary, { topic, partition: 0 }, 5n);
  expect(await mirrorTo(topic, 30n)).toBe('Diverged');

  const [source, target] = sides();
  const plan = await planReseed(source, target, topic, options());
  expect(plan.losses).toEqual([
    { partition: 0, from: 0n, to: 5n, why: 'the source has deleted these' },
    { partition: 0, from: 12n, to: 14n, why: expect.stringMatching(/other records/) },
  ]);
  expect(plan.topic.configs).toMatchObject({
    'segment.bytes': '2097152',
    'retention.ms': '-1',
    'compression.type': 'producer',
  });
  const { topicId } = await reseedTopic(target, plan, () => undefined, options());
  expect(topicId).not.toBe(plan.oldTopicId);
  expect(await range(admins[1], topic)).toEqual([[0n, 0n]]);
  expect((await admins[1].topicConfigs(topic)).get('segment.bytes')).toBe('2097152');

  expect(await mirrorTo(topic, 30n)).toBeUndefined();
  expect(await range(admins[1], topic)).toEqual([[5n, 30n]]);
  const again = await planReseed(source, target, topic, options());
  expect(again.losses).toEqual([]);
  await expect(reseedTopic(target, plan, () => undefined, options())).rejects.toMatchObject({
    code: 'ReseedRefused',
    exitCode: 3,
  });
});

test('nothing is deleted without the right to act, and a topic that one side lacks is refused', async () => {
  const topic = 'kept';
  await admins[1].createTopic({ name: topic, partitions: 1, configs: {} });
  const [source, target] = sides();
  await expect(planReseed(source, target, topic, options())).rejects.toMatchObject({
    code: 'ReseedRefused',
    exitCode: 3,
  });
  await admins[0].createTopic({ name: topic, partitions: 1, configs: {} });
  const plan = await planReseed(source, target, topic, options());
  const lost = () => {
    throw new Error('the lease is lost');
  };
  await expect(reseedTopic(target, plan, lost, options())).rejects.toThrow(/lease is lost/);
  expect((await admins[1].describeTopics([topic])).get(topic)?.topicId).toBe(plan.oldTopicId);
});
