import { compressionsAlgorithms } from '@platformatic/kafka';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { Codec } from '../../regions/kafka/compression.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { consumer, latest, listOffsetsRequest } from '../../regions/kafka/list-offsets.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { patchForProduce, recordBatches } from '../../regions/kafka/record-batch.ts';
import { decodeRecords, encodeBatch } from '../../regions/kafka/record-codec.ts';
import { TransactionCalls } from '../../regions/kafka/transaction-calls.ts';
import { bodyOf, inCodec, plainTraits } from '../unit/regions/kafka/records.ts';
import type { TestBroker } from './kafka-broker.ts';
import { theEnd } from './mirror-pair.ts';

/** Lets kafkajs read what it has no codec for, with the decoders of another library. */
export function teachCodecs(): void {
  for (const [type, codec] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    CompressionCodecs[type] = () => ({
      compress: async (encoder: { readonly buffer: Buffer }) =>
        compressionsAlgorithms[codec].compressSync(encoder.buffer),
      decompress: async (bytes: Buffer) => compressionsAlgorithms[codec].decompressSync(bytes),
    });
  }
}

export interface KeyedRecord {
  readonly key: string;
  /** None: a tombstone. */
  readonly value?: string;
}

/** Appends batches to a broker's partition as they are wanted: kafkajs chooses neither codec nor size. */
export async function writeBatches(
  broker: TestBroker,
  partition: TopicPartition,
  batches: Iterable<{ readonly codec: Codec; readonly records: readonly KeyedRecord[] }>,
): Promise<void> {
  await onCluster(broker, partition.topic, async (cluster) => {
    let sending: Promise<unknown>[] = [];
    for (const { codec, records } of batches) {
      const plain = encodeBatch(
        records.map(({ key, value }, i) => ({
          offset: BigInt(i),
          timestampMs: BigInt(Date.now() - (i % 7)),
          attributes: 0,
          body: bodyOf(Buffer.from(key), value === undefined ? null : Buffer.from(value), [
            ['from', Buffer.from(codec)],
          ]),
        })),
        plainTraits,
      );
      const batch = inCodec(plain, codec);
      patchForProduce(batch, { producerId: -1n, producerEpoch: -1 }, -1);
      const request = produceRequest([{ ...partition, bytes: batch.bytes }], 10_000);
      const answered = cluster.send(cluster.leaderOf(partition), 'produce', request).then(([answer]) => {
        if (answer?.errorCode !== 0) throw new Error(`Produce answered ${answer?.errorCode} ${answer?.errorMessage}`);
      });
      sending.push(answered);
      if (sending.length === 50) {
        await Promise.all(sending);
        sending = [];
      }
    }
    await Promise.all(sending);
  });
}

/** Closes the segment that is written to (`segment.ms` must have passed), and ends in the record that `consume` waits for. */
export async function endLog(broker: TestBroker, partition: TopicPartition): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await writeBatches(broker, partition, [{ codec: 'none', records: [{ key: theEnd, value: `${theEnd}-0` }] }]);
}

export interface LogShape {
  readonly batches: number;
  readonly records: number;
  /** Batches that compaction took records from. */
  readonly holed: number;
  /** Records whose key is the placeholders'. */
  readonly placeholders: number;
}

/** What a partition's log holds, of all its kinds of batches but markers. */
export async function logShape(broker: TestBroker, partition: TopicPartition): Promise<LogShape> {
  return onCluster(broker, partition.topic, async (cluster) => {
    const end = (await cluster.logEnds([partition])).get(`${partition.topic}-${partition.partition}`) ?? 0n;
    let [batches, records, holed, placeholders] = [0, 0, 0, 0];
    for (let offset = 0n; offset < end; ) {
      const positions = [{ ...partition, offset, maxBytes: 4_000_000 }];
      const request = fetchRequest(positions, { maxWaitMs: 0, maxBytes: 4_000_000 });
      const [answer] = await cluster.send(cluster.leaderOf(partition), 'control', request);
      const before = offset;
      for (const batch of recordBatches(answer?.records ?? Buffer.alloc(0))) {
        offset = batch.lastOffset + 1n;
        if (batch.control) continue;
        batches++;
        records += batch.recordCount;
        if (BigInt(batch.recordCount) !== batch.lastOffset - batch.baseOffset + 1n) holed++;
        if (batch.transactional) placeholders += decodeRecords(batch).filter((r) => r.body[1] === 0).length;
      }
      if (offset === before) break;
    }
    return { batches, records, holed, placeholders };
  });
}

/** An empty transaction: nothing but its marker, which takes an offset. */
export async function writeMarker(broker: TestBroker, partition: TopicPartition, id: string): Promise<void> {
  await onCluster(broker, partition.topic, async (cluster) => {
    const calls = new TransactionCalls(cluster, 5_000);
    const producer = await calls.init(id);
    await calls.add(id, producer, partition);
    await calls.end(id, producer, 'abort');
  });
}

/** The last stable offset: below the log's end while a transaction stands open. */
export async function readCommittedEnd(broker: TestBroker, partition: TopicPartition): Promise<bigint | undefined> {
  return onCluster(broker, partition.topic, async (cluster) => {
    const request = listOffsetsRequest([partition], latest, consumer, 'read_committed');
    const [answer] = await cluster.send(cluster.leaderOf(partition), 'control', request);
    return answer?.offset;
  });
}

async function onCluster<T>(broker: TestBroker, topic: string, use: (cluster: KafkaCluster) => Promise<T>): Promise<T> {
  const options = { clientId: 'compacted-log', connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };
  const cluster = new KafkaCluster({ name: 'compacted-log', bootstrap: [broker.address], ...options });
  try {
    await cluster.refresh([topic]);
    return await use(cluster);
  } finally {
    cluster.close();
  }
}
