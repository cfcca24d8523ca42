import type { TopicPartition } from '../../domain/offsets.ts';
import { missingRight } from './access.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** One batch for one partition: a broker takes exactly one for each partition in a request. */
export interface ProduceBatch extends TopicPartition {
  readonly bytes: Buffer;
}

export interface ProducedPartition extends TopicPartition {
  readonly errorCode: number;
  /** Where the batch's first record lies. */
  readonly baseOffset: bigint;
  readonly errorMessage: string | undefined;
}

/**
 * Produce (key 0), version 8, acks=all; with a transactional id all batches belong to its transaction.
 *
 *     request: transactionalId string? | acks i16 | timeout i32 | [topic string | [partition i32 | records bytes]]
 *     response: [topic string | [partition i32 | error i16 | baseOffset i64 | appendTime i64 | logStart i64
 *       | [index i32 | message string?] | message string?]] | throttle i32
 *
 * Source: Kafka protocol guide, "Produce API (Key: 0)"; KIP-467 for the messages.
 */
export function produceRequest(
  batches: readonly ProduceBatch[],
  brokerTimeoutMs: number,
  transactionalId: string | null = null,
): KafkaRequest<readonly ProducedPartition[]> {
  const body = new WireWriter();
  body.string(transactionalId).int16(-1).int32(brokerTimeoutMs);
  body.array(byTopic(batches), ([topic, partitions]) => {
    body.string(topic).array(partitions, (p) => {
      body.int32(p.partition).bytes(p.bytes);
    });
  });
  return { name: 'Produce', apiKey: 0, apiVersion: 8, body, read: readProduceResponse };
}

/** Decodes the body of a Produce response, version 8. */
export function readProduceResponse(bytes: Buffer): readonly ProducedPartition[] {
  const reader = new WireReader(bytes);
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array((): ProducedPartition => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const baseOffset = reader.int64();
      reader.int64();
      reader.int64();
      const recordErrors = reader.array(() => {
        reader.int32();
        return reader.nullableString();
      });
      const message = reader.nullableString() ?? recordErrors.find((m) => m !== null) ?? undefined;
      const errorMessage = message ?? missingRight('Produce', errorCode, { topic });
      return { topic, partition, errorCode, baseOffset, errorMessage };
    });
  });
  return topics.flat();
}
