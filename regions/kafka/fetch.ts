import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** One partition to read, from `offset` on. */
export interface FetchPosition extends TopicPartition {
  readonly offset: bigint;
  readonly maxBytes: number;
}

export interface FetchLimits {
  /** How long the broker may wait for the first record. */
  readonly maxWaitMs: number;
  /** Of the whole answer. The first batch comes whole, even if it is larger. */
  readonly maxBytes: number;
}

export interface FetchedPartition extends TopicPartition {
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly logStartOffset: bigint;
  /** Record batches; the first may begin before the wanted offset, the last may be cut. */
  readonly records: Buffer;
}

/**
 * Fetch (key 1), version 11, outside a fetch session, read_uncommitted.
 *
 *     request: replica i32 (-1) | maxWait i32 | minBytes i32 | maxBytes i32 | isolation i8 | session i32 | epoch i32 (-1)
 *       | [topic string | [partition i32 | leaderEpoch i32 | offset i64 | logStart i64 | maxBytes i32]]
 *       | forgotten [] | rack string
 *     response: throttle i32 | error i16 | session i32 | [topic string | [partition i32 | error i16
 *       | highWatermark i64 | lastStable i64 | logStart i64 | aborted [producerId i64 | first i64] | preferred i32
 *       | records bytes]]
 *
 * Source: Kafka protocol guide, "Fetch API (Key: 1)"; KIP-392 for the rack.
 */
export function fetchRequest(
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): KafkaRequest<readonly FetchedPartition[]> {
  const body = new WireWriter();
  body.int32(-1).int32(limits.maxWaitMs).int32(1).int32(limits.maxBytes).int8(0).int32(0).int32(-1);
  body.array(byTopic(positions), ([topic, partitions]) => {
    body.string(topic).array(partitions, (p) => {
      body.int32(p.partition).int32(-1).int64(p.offset).int64(-1n).int32(p.maxBytes);
    });
  });
  body.int32(0).string('');
  return { name: 'Fetch', apiKey: 1, apiVersion: 11, body, read: readFetchResponse };
}

/** Decodes the body of a Fetch response, version 11; the records are views of it. */
export function readFetchResponse(bytes: Buffer): readonly FetchedPartition[] {
  const reader = new WireReader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  reader.int32();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array((): FetchedPartition => {
      const partition = reader.int32();
      const partitionError = reader.int16();
      const highWatermark = reader.int64();
      reader.int64();
      const logStartOffset = reader.int64();
      reader.array(() => [reader.int64(), reader.int64()]);
      reader.int32();
      const records = reader.bytes();
      return { topic, partition, errorCode: partitionError || errorCode, highWatermark, logStartOffset, records };
    });
  });
  return topics.flat();
}
