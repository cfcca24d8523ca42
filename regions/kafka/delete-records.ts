import type { PartitionOffset, TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface DeletedRecords extends TopicPartition {
  readonly errorCode: number;
  /** The log start afterwards. */
  readonly lowWatermark: bigint;
}

/**
 * DeleteRecords (key 21), version 1: moves the log start up to each given offset, at the partitions' leader. A topic
 * that is only compacted answers POLICY_VIOLATION, whatever the offset.
 *
 *     request: [topic string | [partition i32 | offset i64]] | timeout i32
 *     response: throttle i32 | [topic string | [partition i32 | lowWatermark i64 | error i16]]
 *
 * Source: Kafka protocol guide, "DeleteRecords API (Key: 21)"; KIP-107.
 */
export function deleteRecordsRequest(
  before: readonly PartitionOffset[],
  brokerTimeoutMs: number,
): KafkaRequest<readonly DeletedRecords[]> {
  const body = new WireWriter();
  body
    .array(byTopic(before), ([topic, list]) => {
      body.string(topic).array(list, (p) => {
        body.int32(p.partition).int64(p.offset);
      });
    })
    .int32(brokerTimeoutMs);
  return { name: 'DeleteRecords', apiKey: 21, apiVersion: 1, body, read: readDeleteRecordsResponse };
}

/** Decodes the body of a DeleteRecords response, version 1. */
function readDeleteRecordsResponse(bytes: Buffer): readonly DeletedRecords[] {
  const reader = new WireReader(bytes);
  reader.int32();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array((): DeletedRecords => {
      const partition = reader.int32();
      const lowWatermark = reader.int64();
      return { topic, partition, errorCode: reader.int16(), lowWatermark };
    });
  });
  return topics.flat();
}
