import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { expect } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { markerOutcome, recordBatches } from '../../regions/kafka/record-batch.ts';
import type { TopicVerdict } from '../../replication/topics/check.ts';
import { checkTopics } from '../../replication/topics/check-topics.ts';
import { Mirror, type MirrorOptions } from '../../replication/topics/mirror.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { startTestBroker, type TestBroker } from './kafka-broker.ts';

type BrokerSettings = Readonly<Record<string, string>>;

/** Two throw-away brokers, and topics that are mirrored from one to the other. */
export interface MirrorPair {
  readonly primary: TestBroker;
  readonly standby: TestBroker;
  readonly primaryAdmin: PlatformaticAdmin;
  readonly standbyAdmin: PlatformaticAdmin;
  /** Writes to the primary; it is disconnected by `stop`. */
  newProducer(transactionalId?: string): Promise<Producer>;
  /** A new topic on both sides, and all that a mirror of it needs. */
  prepare(
    partitions: number,
    configs?: Readonly<Record<string, string>>,
    tuning?: MirrorOptions['tuning'],
  ): Promise<PreparedTopic>;
  /** Waits until the standby has all that the primary has now, or a stop says why not. */
  catchesUp(mirror: Mirror, prepared: PreparedTopic, timeoutMs?: number): Promise<void>;
  /** The same batches on both sides, and the same records for both kinds of readers. Each partition must end in `theEnd`. */
  expectIdentical(prepared: PreparedTopic): Promise<void>;
  /** Transactions interleaved, committed and aborted, over several partitions, with plain records between. */
  writeMix(topic: string, partitions: number, rounds: number, last?: string): Promise<void>;
  /** What the check says of mirroring a topic. */
  verdictOn(topic: string): Promise<TopicVerdict | undefined>;
  stop(): Promise<void>;
}

export interface PreparedTopic {
  readonly topic: string;
  readonly partitions: readonly TopicPartition[];
  readonly transactionalId: string;
  readonly identity: { readonly producerId: bigint; readonly producerEpoch: number };
  readonly settings: Pick<MirrorOptions, 'source' | 'target' | 'partitions' | 'tuning'>;
}

/** The records of a partition's last batch, by which `consume` knows that it has seen all. */
export const theEnd = 'the end';

interface PairSettings {
  readonly primary?: BrokerSettings;
  readonly standby?: BrokerSettings;
  /** Starts another kind of broker as the primary. */
  readonly startPrimary?: (settings?: BrokerSettings) => Promise<TestBroker>;
}

/** Starts both; `primary` and `standby` are settings of the brokers. */
export async function startMirrorPair(settings: PairSettings = {}): Promise<MirrorPair> {
  const { startPrimary = startTestBroker } = settings;
  const starting = [startPrimary(settings.primary), startTestBroker(settings.standby)] as const;
  const [primary, standby] = await Promise.all(starting).catch(async (error: unknown) => {
    await Promise.allSettled(starting.map((one) => one.then((broker) => broker.stop())));
    throw error;
  });
  const primaryAdmin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] });
  const standbyAdmin = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] });
  const producers: Producer[] = [];
  let topics = 0;

  const newProducer = async (transactionalId?: string) => {
    const options = transactionalId === undefined ? {} : { transactionalId, idempotent: true, maxInFlightRequests: 1 };
    const producer = kafkajsClient(primary).producer(options);
    await producer.connect();
    producers.push(producer);
    return producer;
  };
  return {
    primary,
    standby,
    primaryAdmin,
    standbyAdmin,
    newProducer,
    prepare: async (count, configs = {}, tuning = {}) => {
      const topic = `mirrored-${++topics}`;
      await primaryAdmin.createTopic({ name: topic, partitions: count, configs });
      const { partitions } = await prepareTopics(
        { name: 'mumbai', kafka: primaryAdmin },
        { name: 'singapore', kafka: standbyAdmin },
        [topic],
      );
      const transactionalId = `mirror-${topic}`;
      const identity = await standbyAdmin.initProducer(transactionalId);
      const brokers = {
        source: { name: 'mumbai', bootstrap: [primary.address] },
        target: { name: 'singapore', bootstrap: [standby.address] },
      };
      const settings = { ...brokers, partitions, tuning: { requestTimeoutMs: 3_000, ...tuning } };
      return { topic, partitions, transactionalId, identity, settings };
    },
    catchesUp: async (mirror, { topic, partitions }, timeoutMs = 30_000) => {
      // Asked again each time: the primary writes a transaction's marker after its answer.
      const missing = async () => {
        const wanted = await logEnds(primaryAdmin, partitions);
        const shown = mirror.status().topics[topic]?.partitions ?? [];
        return wanted.flatMap((end, i) => {
          const { stop, mirroredEndOffset } = shown[i] ?? {};
          if (stop) return [`${stop.reason}: ${stop.detail}`];
          return mirroredEndOffset === end ? [] : [`${i}: ${mirroredEndOffset} of ${end}`];
        });
      };
      await expect.poll(missing, { timeout: timeoutMs, interval: 20 }).toEqual([]);
    },
    expectIdentical: async ({ topic, partitions }) => {
      for (const p of partitions) expect(await layout(standby, p)).toEqual(await layout(primary, p));
      for (const uncommitted of [true, false]) {
        const [here, there] = await Promise.all([
          consume(primary, topic, uncommitted, partitions.length),
          consume(standby, topic, uncommitted, partitions.length),
        ]);
        expect(there).toEqual(here);
      }
    },
    writeMix: async (topic, partitions, rounds, last = theEnd) => {
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
    },
    verdictOn: async (topic) => {
      const [verdict] = await checkTopics(
        { name: 'mumbai', kafka: primaryAdmin, brokers: { name: 'mumbai', bootstrap: [primary.address] } },
        { name: 'singapore', kafka: standbyAdmin, brokers: { name: 'singapore', bootstrap: [standby.address] } },
        [topic],
        { nowMs: Date.now(), signal: AbortSignal.timeout(30_000) },
      );
      return verdict;
    },
    stop: async () => {
      await Promise.all(producers.map((p) => p.disconnect()));
      await Promise.all([primaryAdmin.close(), standbyAdmin.close()]);
      await Promise.all([primary.stop(), standby.stop()]);
    },
  };
}

export function kafkajsClient(broker: TestBroker): Kafka {
  return new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
}

/** Records that tell each other apart. */
export function messages(name: string, count: number, partition = 0): Message[] {
  return Array.from({ length: count }, (_, i) => ({ key: `${name}`, value: `${name}-${i}`, partition }));
}

/** High watermarks, in order of the partitions. */
export async function logEnds(
  admin: PlatformaticAdmin,
  partitions: readonly TopicPartition[],
): Promise<readonly bigint[]> {
  return (await admin.logRanges(partitions)).map((r) => r.logEndOffset);
}

/** Each batch of a partition as the log has it, without what is each side's own: producer, leader epoch, marker's time. */
export async function layout(broker: TestBroker, partition: TopicPartition): Promise<readonly string[]> {
  const options = { clientId: 'audit', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ name: 'audit', bootstrap: [broker.address], ...options });
  try {
    await cluster.refresh([partition.topic]);
    const end = (await cluster.logEnds([partition])).get(`${partition.topic}-${partition.partition}`) ?? 0n;
    const lines: string[] = [];
    for (let offset = 0n; offset < end; ) {
      const positions = [{ ...partition, offset, maxBytes: 1_000_000 }];
      const request = fetchRequest(positions, { maxWaitMs: 0, maxBytes: 1_000_000 });
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

/** What an ordinary consumer sees, up to the record `theEnd`, which must come in each partition. */
export async function consume(
  broker: TestBroker,
  topic: string,
  readUncommitted: boolean,
  partitions: number,
): Promise<readonly string[]> {
  const consumer = kafkajsClient(broker).consumer({ groupId: `audit-${Math.random()}`, readUncommitted });
  const seen: string[] = [];
  let ended = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const run = consumer.run({
      eachMessage: async ({ partition, message }) => {
        seen.push(`${partition}@${message.offset}=${message.key}:${message.value}`);
        if (`${message.value}` === `${theEnd}-0` && ++ended === partitions) resolve();
      },
    });
    run.catch(reject);
  });
  await consumer.disconnect();
  return seen.sort();
}

/** A mirror that runs until the end of `use`. */
export async function mirroring(prepared: PreparedTopic, use: (mirror: Mirror) => Promise<void>): Promise<void> {
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

/** A mirror in a process of its own, which can be killed. */
export function mirrorProcess({ identity, settings }: PreparedTopic): { readonly kill: () => Promise<void> } {
  const producer = { producerId: identity.producerId.toString(), producerEpoch: identity.producerEpoch };
  const script = fileURLToPath(new URL('./mirror-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify({ ...settings, ...producer })], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
