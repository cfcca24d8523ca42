import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { markerOutcome, recordBatches } from '../../regions/kafka/record-batch.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

let primary: TestBroker;
let standby: TestBroker;
let primaryAdmin: PlatformaticAdmin;
let standbyAdmin: PlatformaticAdmin;
const producers: Producer[] = [];
let names = 0;

beforeAll(async () => {
  const cleaning = { 'log.cleaner.backoff.ms': '200', 'log.initial.task.delay.ms': '200' };
  [primary, standby] = await Promise.all([startTestBroker(cleaning), startTestBroker()]);
  primaryAdmin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] });
  standbyAdmin = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] });
});
afterAll(async () => {
  await Promise.all(producers.map((p) => p.disconnect()));
  await Promise.all([primaryAdmin?.close(), standbyAdmin?.close()]);
  await Promise.all([primary?.stop(), standby?.stop()]);
});

const client = (broker: TestBroker) => new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });

async function newProducer(transactionalId?: string): Promise<Producer> {
  const producer = client(primary).producer(
    transactionalId === undefined ? {} : { transactionalId, idempotent: true, maxInFlightRequests: 1 },
  );
  await producer.connect();
  producers.push(producer);
  return producer;
}

const messages = (name: string, count: number, partition = 0): Message[] =>
  Array.from({ length: count }, (_, i) => ({ key: `${name}`, value: `${name}-${i}`, partition }));

/** Each batch of a partition as the log has it, without what is each side's own: producer, leader epoch, marker's time. */
async function layout(broker: TestBroker, partition: TopicPartition): Promise<readonly string[]> {
  const options = { clientId: 'audit', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ name: 'audit', bootstrap: [broker.address], ...options });
  try {
    await cluster.refresh([partition.topic]);
    const end = (await cluster.logEnds([partition])).get(`${partition.topic}-${partition.partition}`) ?? 0n;
    const lines: string[] = [];
    for (let offset = 0n; offset < end; ) {
      const request = fetchRequest([{ ...partition, offset, maxBytes: 1_000_000 }], {
        maxWaitMs: 0,
        maxBytes: 1_000_000,
      });
      const [answer] = await cluster.send(cluster.leaderOf(partition), 'control', request);
      const before = offset;
      for (const batch of recordBatches(answer?.records ?? Buffer.alloc(0))) {
        const what = batch.control
          ? markerOutcome(batch)
          : `${batch.transactional ? 'transactional' : 'plain'} ${batch.firstTimestampMs} ${batch.bytes.toString('base64', 57)}`;
        if (batch.lastOffset >= offset) lines.push(`${batch.baseOffset}-${batch.lastOffset} ${what}`);
        offset = batch.lastOffset + 1n;
      }
      if (offset === before) break;
    }
    return lines;
  } finally {
    cluster.close();
  }
}

/** What an ordinary consumer sees, in order of offsets, up to a last record that must come in each partition. */
async function consume(broker: TestBroker, topic: string, readUncommitted: boolean, partitions: number) {
  const consumer = client(broker).consumer({ groupId: `audit-${++names}`, readUncommitted });
  const seen: string[] = [];
  let ended = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const run = consumer.run({
      eachMessage: async ({ partition, message }) => {
        seen.push(`${partition}@${message.offset}=${message.key}:${message.value}`);
        if (`${message.value}` === 'the end-0' && ++ended === partitions) resolve();
      },
    });
    run.catch(reject);
  });
  await consumer.disconnect();
  return seen.sort();
}

async function prepare(partitionCount: number, configs: Readonly<Record<string, string>> = {}) {
  const topic = `replayed-${++names}`;
  await primaryAdmin.createTopic({ name: topic, partitions: partitionCount, configs });
  const { partitions } = await prepareTopics(
    { name: 'mumbai', kafka: primaryAdmin },
    { name: 'singapore', kafka: standbyAdmin },
    [topic],
  );
  const transactionalId = `mirror-${topic}`;
  const identity = await standbyAdmin.initProducer(transactionalId);
  const settings = {
    source: { name: 'mumbai', bootstrap: [primary.address] },
    target: { name: 'singapore', bootstrap: [standby.address] },
    partitions,
    tuning: { requestTimeoutMs: 3_000, replayTransactions: true },
  };
  return { topic, partitions, transactionalId, identity, settings };
}
type Prepared = Awaited<ReturnType<typeof prepare>>;

async function mirroring(prepared: Prepared, use: (mirror: Mirror) => Promise<void>) {
  const mirror = new Mirror({ ...prepared.settings, producer: prepared.identity, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await use(mirror);
  } finally {
    stopping.abort();
    await running;
  }
}

const ends = async (admin: PlatformaticAdmin, partitions: readonly TopicPartition[]) =>
  (await admin.logRanges(partitions)).map((r) => r.logEndOffset);

/** Waits until the standby has all, or says why it does not. */
async function catchesUp(mirror: Mirror, { topic, partitions }: Prepared) {
  const wanted = await ends(primaryAdmin, partitions);
  const state = () =>
    mirror
      .status()
      .topics[topic]?.partitions.map((p) => (p.stop ? `${p.stop.reason}: ${p.stop.detail}` : p.mirroredEndOffset));
  await expect.poll(state, { timeout: 30_000, interval: 20 }).toEqual(wanted);
}

async function expectIdentical({ topic, partitions }: Prepared) {
  for (const p of partitions) expect(await layout(standby, p)).toEqual(await layout(primary, p));
  for (const uncommitted of [true, false]) {
    const [here, there] = await Promise.all([
      consume(primary, topic, uncommitted, partitions.length),
      consume(standby, topic, uncommitted, partitions.length),
    ]);
    expect(there).toEqual(here);
  }
}

/** Interleaved, committed and aborted, over several partitions, with plain records between. */
async function writeMix(topic: string, partitions: number, rounds: number, last = 'the end') {
  const [plain, a, b] = [await newProducer(), await newProducer(`a-${topic}`), await newProducer(`b-${topic}`)];
  for (let round = 0; round < rounds; round++) {
    const [one, two] = [round % partitions, (round + 1) % partitions];
    await plain.send({ topic, messages: messages(`plain ${round}`, 3, one) });
    const first = await a.transaction();
    await first.send({ topic, messages: messages(`first ${round}`, 4, one) });
    const second = await b.transaction();
    await second.send({ topic, messages: messages(`second ${round}`, 2, one), compression: CompressionTypes.GZIP });
    await plain.send({ topic, messages: messages(`between ${round}`, 2, one) });
    await first.send({ topic, messages: messages(`first again ${round}`, 1, two) });
    await second.send({ topic, messages: messages(`second again ${round}`, 1, two) });
    await (round % 2 ? second.commit() : second.abort());
    await first.send({ topic, messages: messages(`first at last ${round}`, 2, one) });
    await (round % 3 ? first.abort() : first.commit());
  }
  await plain.send({ topic, messages: Array.from({ length: partitions }, (_, p) => messages(last, 1, p)).flat() });
}

describe('the mirror of transactions', () => {
  test('goes on after the standby and the primary were killed in the middle of them', async () => {
    const prepared = await prepare(2);
    const { topic } = prepared;
    await mirroring(prepared, async (mirror) => {
      const writing = writeMix(topic, 2, 20, 'written').then(() => 'written');
      const at = async () => (await ends(standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
      for (const atLeast of [20n, 60n]) {
        await expect.poll(at, { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(atLeast);
        await standby.kill();
        await standby.start();
      }
      standby.freeze();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      standby.thaw();
      await writing;
      await primary.kill();
      await primary.start();
      await (await newProducer()).send({
        topic,
        messages: [...messages('the end', 1, 0), ...messages('the end', 1, 1)],
      });
      await catchesUp(mirror, prepared);
    });
    await expectIdentical(prepared);
  }, 150_000);
});
