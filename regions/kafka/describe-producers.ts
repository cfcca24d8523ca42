import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface PartitionProducers extends TopicPartition {
  readonly errorCode: number;
  readonly producers: readonly {
    readonly producerId: bigint;
    readonly producerEpoch: number;
    /** -1 while no marker of it was written. */
    readonly coordinatorEpoch: number;
    /** -1 when only a marker of it is known. */
    readonly lastSequence: number;
    /** The first offset of its open transaction; -1 without one. */
    readonly transactionStart: bigint;
  }[];
}

/**
 * DescribeProducers (key 61), version 0 (flexible): the producers whose state a partition's leader keeps.
 *
 *     request: tags | compact [topic compact string | compact [partition i32] | tags] | tags
 *     response: tags | throttle i32 | compact [topic compact string | compact [partition i32 | error i16
 *       | message compact string? | compact [producerId i64 | producerEpoch i32 | lastSequence i32 | lastTimestamp i64
 *       | coordinatorEpoch i32 | txnStart i64 | tags] | tags] | tags] | tags
 *
 * Source: KIP-664; Kafka protocol guide.
 */
export function describeProducersRequest(
  partitions: readonly TopicPartition[],
): KafkaRequest<readonly PartitionProducers[]> {
  const body = new WireWriter();
  const topics = byTopic(partitions);
  // The request header of a flexible version ends with its own tagged fields.
  body.uvarint(0).uvarint(topics.length + 1);
  for (const [topic, list] of topics) {
    body.compactString(topic).uvarint(list.length + 1);
    for (const p of list) body.int32(p.partition);
    body.uvarint(0);
  }
  body.uvarint(0);
  return { name: 'DescribeProducers', apiKey: 61, apiVersion: 0, body, read: readDescribeProducersResponse };
}

/** Decodes a DescribeProducers response, version 0, from the tagged fields of its header on. */
export function readDescribeProducersResponse(bytes: Buffer): readonly PartitionProducers[] {
  const reader = new WireReader(bytes);
  reader.tags();
  reader.int32();
  const topics = reader.compactArray(() => {
    const topic = reader.compactNullableString() ?? '';
    const partitions = reader.compactArray((): PartitionProducers => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      reader.compactNullableString();
      const producers = reader.compactArray(() => {
        const [producerId, producerEpoch] = [reader.int64(), reader.int32()];
        const lastSequence = reader.int32();
        reader.int64();
        const coordinatorEpoch = reader.int32();
        const transactionStart = reader.int64();
        reader.tags();
        return { producerId, producerEpoch, coordinatorEpoch, lastSequence, transactionStart };
      });
      reader.tags();
      return { topic, partition, errorCode, producers };
    });
    reader.tags();
    return partitions;
  });
  return topics.flat();
}
