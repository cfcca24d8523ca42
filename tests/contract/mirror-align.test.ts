import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { LogRange } from '../../domain/offsets.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { deleteBefore, raiseLog } from '../support/raise-log.ts';

let primary: TestBroker;
let standby: TestBroker;
let primaryAdmin: PlatformaticAdmin;
let standbyAdmin: PlatformaticAdmin;
let topics = 0;

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestBroker(), startTestBroker()]);
  primaryAdmin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] });
  standbyAdmin = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] });
});
afterAll(async () => {
  await Promise.all([primaryAdmin?.close(), standbyAdmin?.close()]);
  await Promise.all([primary?.stop(), standby?.stop()]);
});

async function write(topic: string, partition: number, count: number): Promise<void> {
  const producer = new Kafka({ brokers: [primary.address], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => ({ key: `key-${i}`, value: `value-${i}`, partition }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Every record that a reader from the beginning gets, by offset. */
async function readAll(broker: TestBroker, topic: string, partition: number, count: number) {
  const consumer = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).consumer({
    groupId: `audit-${Math.random()}`,
  });
  const records: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async (m: { partition: number; message: { offset: string; value: Buffer | null } }) => {
      if (m.partition === partition) records.push(`${m.message.offset}: ${m.message.value}`);
      if (records.length >= count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return records;
}

/** A topic at the primary whose partition 0 begins at `start`, and what a mirror of it needs. */
async function prepare(
  start: bigint,
  options: { configs?: Record<string, string>; standby?: Record<string, string> } = {},
) {
  const topic = `aligned-${++topics}`;
  await primaryAdmin.createTopic({ name: topic, partitions: 2, configs: {} });
  await raiseLog(primary, { topic, partition: 0 }, start);
  if (options.standby) await standbyAdmin.createTopic({ name: topic, partitions: 2, configs: options.standby });
  const { partitions } = await prepareTopics(
    { name: 'mumbai', kafka: primaryAdmin },
    { name: 'singapore', kafka: standbyAdmin },
    [topic],
  );
  const producer = await standbyAdmin.initProducer(`mirror-${topic}`);
  const settings = {
    source: { name: 'mumbai', bootstrap: [primary.address] },
    target: { name: 'singapore', bootstrap: [standby.address] },
    partitions,
  };
  const range = async (admin: PlatformaticAdmin) => (await admin.logRanges([{ topic, partition: 0 }]))[0] as LogRange;
  return { topic, producer, settings, range };
}

async function mirroring(
  { settings, producer }: Awaited<ReturnType<typeof prepare>>,
  use: (mirror: Mirror) => Promise<void>,
) {
  const mirror = new Mirror({ ...settings, producer, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await use(mirror);
  } finally {
    stopping.abort();
    await running;
  }
}

const partitionOf = (mirror: Mirror, topic: string, partition: number) =>
  mirror.status().topics[topic]?.partitions[partition];
const reaches = (mirror: Mirror, topic: string, partition: number, end: bigint) =>
  expect
    .poll(() => partitionOf(mirror, topic, partition)?.mirroredEndOffset, { timeout: 60_000, interval: 20 })
    .toBe(end);

test('a log that begins above 0 keeps its offsets, nobody can read what took the others, and no other partition waits', async () => {
  const start = 3_000_123n;
  const prepared = await prepare(start);
  const { topic, range } = prepared;
  await write(topic, 0, 40);
  await write(topic, 1, 25);
  await mirroring(prepared, async (mirror) => {
    await reaches(mirror, topic, 1, 25n);
    expect(partitionOf(mirror, topic, 0)).toMatchObject({ state: 'waiting', alignsTo: start });
    await reaches(mirror, topic, 0, start + 40n);
    await write(topic, 0, 10);
    await reaches(mirror, topic, 0, start + 50n);
    expect(partitionOf(mirror, topic, 0)).toMatchObject({ state: 'mirroring', lagRecords: 0 });
  });
  expect(await range(standbyAdmin)).toEqual(await range(primaryAdmin));
  const [here, there] = [await readAll(primary, topic, 0, 50), await readAll(standby, topic, 0, 50)];
  expect(there).toEqual(here);
  expect(there[0]).toBe(`${start}: value-0`);
});

test('an alignment that is killed on the way goes on where it was, and follows a log start that moves meanwhile', async () => {
  const start = 12_000_000n;
  const prepared = await prepare(start);
  const { topic, producer, settings, range } = prepared;
  await write(topic, 0, 40);
  const script = fileURLToPath(new URL('../support/mirror-child.ts', import.meta.url));
  const argument = JSON.stringify({ ...settings, ...producer, producerId: producer.producerId.toString() });
  let before = 0n;
  for (let kills = 0; kills < 3; kills++) {
    const child = spawn(process.execPath, [script, argument], { stdio: 'ignore' });
    const end = async () => (await range(standbyAdmin)).logEndOffset;
    await expect.poll(end, { interval: 5 }).toBeGreaterThan(before);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    before = await end();
    expect(before, 'it was killed on the way').toBeLessThan(start);
  }
  await mirroring(prepared, async (mirror) => {
    await expect.poll(() => partitionOf(mirror, topic, 0)?.alignsTo).toBe(start);
    await deleteBefore(primary, { topic, partition: 0 }, start + 7n);
    await reaches(mirror, topic, 0, start + 40n);
  });
  expect(await range(standbyAdmin)).toEqual({
    topic,
    partition: 0,
    logStartOffset: start + 7n,
    logEndOffset: start + 40n,
  });
  expect(await readAll(standby, topic, 0, 33)).toEqual(await readAll(primary, topic, 0, 33));
});

test('an alignment that is stopped in order leaves nothing that can be read', async () => {
  const prepared = await prepare(9_000_000n);
  const { topic, range } = prepared;
  await mirroring(prepared, async (mirror) => {
    await expect.poll(() => partitionOf(mirror, topic, 0)?.mirroredEndOffset).toBeGreaterThan(0n);
    const frozen = await mirror.freeze(0);
    const { logStartOffset, logEndOffset } = await range(standbyAdmin);
    expect(logStartOffset).toBe(logEndOffset);
    expect(frozen.endOffsets[0]?.offset).toBe(logEndOffset);
    expect(logEndOffset).toBeLessThan(9_000_000n);
    mirror.thaw();
    await expect
      .poll(() => partitionOf(mirror, topic, 0))
      .toMatchObject({ state: 'mirroring', mirroredEndOffset: 9_000_000n });
  });
  expect(await range(standbyAdmin)).toMatchObject({ logStartOffset: 9_000_000n, logEndOffset: 9_000_000n });
});

test('placeholders fit a topic that compacts and deletes, and one that takes small batches only', async () => {
  const small = { 'cleanup.policy': 'compact,delete', 'max.message.bytes': '20000' };
  const prepared = await prepare(50_003n, { standby: small });
  const { topic, range } = prepared;
  await write(topic, 0, 5);
  await mirroring(prepared, (mirror) => reaches(mirror, topic, 0, 50_008n));
  expect(await range(standbyAdmin)).toEqual(await range(primaryAdmin));
});

test('a topic that only compacts is refused by name, and nothing is written to it', async () => {
  const prepared = await prepare(1_000n, { standby: { 'cleanup.policy': 'compact' } });
  const { topic, range } = prepared;
  await mirroring(prepared, async (mirror) => {
    await expect.poll(() => partitionOf(mirror, topic, 0)?.stop).toMatchObject({ reason: 'AlignmentRefused' });
  });
  expect(await range(standbyAdmin)).toMatchObject({ logStartOffset: 0n, logEndOffset: 0n });
});

test('a standby that lacks what the source deleted, and has records, is a stop with the range that is lost', async () => {
  const prepared = await prepare(0n);
  const { topic, range } = prepared;
  await write(topic, 0, 10);
  await mirroring(prepared, (mirror) => reaches(mirror, topic, 0, 10n));
  await write(topic, 0, 10);
  await deleteBefore(primary, { topic, partition: 0 }, 15n);
  await mirroring(prepared, async (mirror) => {
    await expect.poll(() => partitionOf(mirror, topic, 0)?.stop).toMatchObject({ reason: 'SourceTruncated' });
  });
  expect(await range(standbyAdmin)).toMatchObject({ logStartOffset: 0n, logEndOffset: 10n });
});
