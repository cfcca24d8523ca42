import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** Special timestamps: the high watermark, and the log start. Source: KIP-79. */
export const latest = -1n;
export const earliest = -2n;

export const consumer = -1;
/**
 * Asked as this replica, `latest` is the leader's log end, also beyond the high watermark. Source: Kafka's
 * `ListOffsetsRequest.DEBUGGING_REPLICA_ID`.
 */
export const debugReplica = -2;

export interface ListedOffset extends TopicPartition {
  readonly errorCode: number;
  readonly offset: bigint;
}

/** With `read_committed`, `latest` is the last stable offset: where the first open transaction begins. */
type Isolation = 'read_uncommitted' | 'read_committed';

/**
 * ListOffsets (key 2), version 5, read_uncommitted unless told.
 *
 *     request: replica i32 (-1) | isolation i8 | [topic string | [partition i32 | leaderEpoch i32 (-1) | timestamp i64]]
 *     response: throttle i32 | [topic string | [partition i32 | error i16 | timestamp i64 | offset i64 | leaderEpoch i32]]
 *
 * Source: Kafka protocol guide, "ListOffsets API (Key: 2)".
 */
export function listOffsetsRequest(
  partitions: readonly TopicPartition[],
  timestamp: bigint,
  replica: number = consumer,
  isolation: Isolation = 'read_uncommitted',
): KafkaRequest<readonly ListedOffset[]> {
  const body = new WireWriter();
  body.int32(replica).int8(isolation === 'read_committed' ? 1 : 0);
  body.array(byTopic(partitions), ([topic, list]) => {
    body.string(topic).array(list, (p) => {
      body.int32(p.partition).int32(-1).int64(timestamp);
    });
  });
  return { name: 'ListOffsets', apiKey: 2, apiVersion: 5, body, read: readListOffsetsResponse };
}

/** Decodes the body of a ListOffsets response, version 5. */
export function readListOffsetsResponse(bytes: Buffer): readonly ListedOffset[] {
  const reader = new WireReader(bytes);
  reader.int32();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array((): ListedOffset => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      reader.int64();
      const offset = reader.int64();
      reader.int32();
      return { topic, partition, errorCode, offset };
    });
  });
  return topics.flat();
}
