import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs';

/** One record as it was read; key and value are text. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

/** Where and what to read. */
export interface ReadTopicOptions {
  /** `host:port`, one or several. */
  readonly bootstrap: string | readonly string[];
  readonly topic: string;
  /** A reading that makes no progress for this long fails; 20 s when absent. */
  readonly stalledMs?: number;
  readonly signal?: AbortSignal;
}

/** The end of one partition: the offset behind the last record that every reader may see. */
export interface PartitionEnd {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

/** A kafkajs client for the auditor; it says nothing on the console but what a caller throws. */
export function auditorClient(bootstrap: string | readonly string[]): Kafka {
  return new Kafka({
    clientId: 'lab-auditor',
    brokers: typeof bootstrap === 'string' ? [bootstrap] : [...bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 200, retries: 6 },
  });
}

/**
 * Start and end of each partition. The end is the last stable offset (kafkajs asks so): an open transaction and what
 * follows it lie behind it. A broker that has just begun, and leads nothing yet, is asked again.
 */
export async function topicEnds(admin: Pick<Admin, 'fetchTopicOffsets'>, topic: string): Promise<PartitionEnd[]> {
  // Node finds no names in what a CommonJS module spreads into its exports: its errors are reached by the whole of it.
  const { KafkaJSError } = kafkajs;
  const offsets = async () => {
    for (const deadline = performance.now() + 20_000; ; await sleep(200)) {
      try {
        return await admin.fetchTopicOffsets(topic);
      } catch (error) {
        if (!(error instanceof KafkaJSError && error.retriable) || performance.now() > deadline) throw error;
      }
    }
  };
  return (await offsets())
    .map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }))
    .sort((a, b) => a.partition - b.partition);
}

/**
 * Gives every record of a topic from its start up to the ends that the topic has now, a partition's records in the
 * order of their offsets, and resolves when all are through. It reads as a consumer of a group of its own, which it
 * removes afterwards; it commits nothing. Uncompressed topics only; transactions are not told apart.
 */
export async function readTopic(options: ReadTopicOptions, onRecord: (record: TopicRecord) => void): Promise<void> {
  const kafka = auditorClient(options.bootstrap);
  const admin = kafka.admin();
  const groupId = `lab-auditor-${randomUUID()}`;
  await admin.connect();
  try {
    const left = new Map<number, number>();
    for (const { partition, start, end } of await topicEnds(admin, options.topic)) {
      if (end > start) left.set(partition, end);
    }
    if (left.size > 0) {
      await consumeUntil(kafka, groupId, left, options, onRecord);
      // A group that can't be removed expires by itself.
      await admin.deleteGroups([groupId]).catch(() => undefined);
    }
  } finally {
    await admin.disconnect();
  }
}

async function consumeUntil(
  kafka: Kafka,
  groupId: string,
  ends: ReadonlyMap<number, number>,
  options: ReadTopicOptions,
  onRecord: (record: TopicRecord) => void,
): Promise<void> {
  const left = new Map(ends);
  const consumer = kafka.consumer({
    groupId,
    readUncommitted: true,
    maxBytesPerPartition: 4 << 20,
    maxWaitTimeInMs: 100,
    sessionTimeout: 30_000,
  });
  const done = Promise.withResolvers<void>();
  let progressAtMs = performance.now();
  const watch = setInterval(() => {
    if (performance.now() - progressAtMs < (options.stalledMs ?? 20_000)) return;
    const where = [...left].map(([partition, end]) => `${partition} up to ${end}`).join(', ');
    done.reject(new Error(`reading ${options.topic} makes no progress; left: partition ${where}`));
  }, 500);
  const abort = (): void => done.reject(options.signal?.reason);
  options.signal?.addEventListener('abort', abort, { once: true });

  // Told for every batch, also for one that holds nothing but transaction markers.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    progressAtMs = performance.now();
    const end = left.get(payload.partition);
    if (end !== undefined && Number(payload.lastOffset) + 1 >= end) left.delete(payload.partition);
    if (left.size === 0) done.resolve();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) done.reject(payload.error);
  });
  try {
    options.signal?.throwIfAborted();
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const end = ends.get(batch.partition) ?? 0;
        for (const message of batch.messages) {
          const offset = Number(message.offset);
          if (offset >= end) break;
          const [key, value] = [message.key?.toString() ?? '', message.value?.toString() ?? ''];
          onRecord({ partition: batch.partition, offset, key, value });
        }
      },
    });
    await done.promise;
  } finally {
    clearInterval(watch);
    options.signal?.removeEventListener('abort', abort);
    await consumer.disconnect();
  }
}
