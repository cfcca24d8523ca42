import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, type Kafka, type Producer, type ProducerConfig, type RecordMetadata } from 'kafkajs';
import { seeded } from './plan.ts';

/** What the source acknowledged: the record's name, which its value begins with, by partition and offset. */
export type Ledger = ReadonlyMap<string, string>;

export interface ChaosWriter {
  readonly acknowledged: Ledger;
  /** Sends that ended without an acknowledgement; what they wrote may be there or not, or twice. */
  readonly unanswered: () => number;
  /** Ends the writing with a record `theEnd` in each partition. */
  stop(): Promise<void>;
}

export interface WriterOptions {
  readonly client: Kafka;
  readonly topic: string;
  readonly partitions: number;
  readonly seed: number;
  /** Transactions over two partitions each, committed and aborted, beside the rest. */
  readonly transactions: boolean;
}

/** The value of each partition's last record. */
export const theEnd = 'the end';

const codecs = [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.ZSTD] as const;

/**
 * Writes until it is stopped: each partition by a producer of its own, plain and idempotent ones in turn, with each
 * compression, and one producer to all partitions at once.
 */
export function startWriter(options: WriterOptions): ChaosWriter {
  const { client, topic, partitions } = options;
  const acknowledged = new Map<string, string>();
  let [writing, unanswered, producers] = [true, 0, 0];
  const random = seeded(options.seed + 1);
  const integer = (from: number, to: number) => Math.floor(from + random() * (to - from));

  const open = async (config: ProducerConfig): Promise<Producer> => {
    const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 };
    const producer = client.producer({ allowAutoTopicCreation: false, retry, ...config });
    await producer.connect();
    return producer;
  };
  /** Messages with names of their own; the name is what the ledger keeps. */
  const made = (lane: string, n: number, partition: number) =>
    Array.from({ length: integer(1, 30) }, (_, i) => ({
      partition,
      key: `${lane}-${i % 7}`,
      value: `${lane}/${n}/${partition}/${i}:${'x'.repeat(integer(0, 800))}`,
      headers: { lane, n: String(n) },
    }));
  type Made = ReturnType<typeof made>;
  const note = (metadata: readonly RecordMetadata[], messages: Made, into: Map<string, string>) => {
    for (const { partition, baseOffset } of metadata) {
      const sent = messages.filter((m) => m.partition === partition);
      for (const [i, { value }] of sent.entries()) {
        into.set(`${partition}@${BigInt(baseOffset ?? -1) + BigInt(i)}`, value.slice(0, value.indexOf(':') + 1));
      }
    }
  };

  /** Calls `write` over and over, with a new producer after each failure. */
  async function lane(config: ProducerConfig, write: (producer: Producer, name: string, n: number) => Promise<void>) {
    const name = `p${producers++}`;
    let producer: Producer | undefined;
    for (let n = 0; writing; n++) {
      try {
        producer ??= await open(config);
        await write(producer, name, n);
      } catch {
        unanswered++;
        await producer?.disconnect().catch(() => undefined); // It is not used any more.
        producer = undefined;
      }
      await sleep(integer(30, 150));
    }
    await producer?.disconnect().catch(() => undefined); // All that counts was acknowledged before.
  }

  const single = (partition: number) => {
    const idempotent = partition % 2 === 1;
    const compression = codecs[Math.floor(partition / 2) % codecs.length] ?? CompressionTypes.None;
    const config = idempotent ? { idempotent, maxInFlightRequests: 1 } : {};
    return lane(config, async (producer, name, n) => {
      const messages = made(name, n, partition);
      note(await producer.send({ topic, messages, compression }), messages, acknowledged);
    });
  };
  const all = lane({}, async (producer, name, n) => {
    const messages = Array.from({ length: partitions }, (_, p) => made(name, n, p)).flat();
    note(await producer.send({ topic, messages }), messages, acknowledged);
  });
  const transactional = (transactionalId: string) =>
    lane({ transactionalId, idempotent: true, maxInFlightRequests: 1 }, async (producer, name, n) => {
      const pending = new Map<string, string>();
      const transaction = await producer.transaction();
      for (let part = integer(1, 4); part > 0; part--) {
        const messages = made(`${name}.${part}`, n, integer(0, partitions));
        note(await transaction.send({ topic, messages }), messages, pending);
        await sleep(integer(0, 200));
      }
      if (random() < 0.4) return transaction.abort();
      await transaction.commit();
      for (const [at, value] of pending) acknowledged.set(at, value);
    });
  const lanes = [...Array.from({ length: partitions }, (_, p) => single(p)), all];
  if (options.transactions) lanes.push(transactional(`${topic}-a`), transactional(`${topic}-b`));
  return {
    acknowledged,
    unanswered: () => unanswered,
    stop: async () => {
      writing = false;
      await Promise.all(lanes);
      const producer = await open({});
      await producer.send({
        topic,
        messages: Array.from({ length: partitions }, (_, p) => ({ partition: p, value: theEnd })),
      });
      await producer.disconnect();
    },
  };
}
