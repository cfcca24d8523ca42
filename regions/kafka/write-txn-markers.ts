import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { TransactionOutcome } from './transactions.ts';
import { WireReader, WireWriter } from './wire.ts';

/** A marker that goes straight to the partitions' leader. */
interface Marker {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Not below the one that the partitions know of this producer. */
  readonly coordinatorEpoch: number;
  readonly outcome: TransactionOutcome;
}

/**
 * WriteTxnMarkers (key 27), version 1 (flexible): what a transaction's coordinator sends, and since KIP-664 also an
 * administrator may (ALTER or CLUSTER_ACTION on the cluster).
 *
 *     request: tags | compact [producerId i64 | epoch i16 | committed i8 | compact [topic compact string
 *       | compact [partition i32] | tags] | coordinatorEpoch i32 | tags] | tags
 *     response: tags | compact [producerId i64 | compact [topic compact string | compact [partition i32 | error i16
 *       | tags] | tags] | tags] | tags
 *
 * Source: Kafka protocol guide, "WriteTxnMarkers API (Key: 27)"; KIP-664.
 */
export function writeTxnMarkersRequest(
  marker: Marker,
  partitions: readonly TopicPartition[],
): KafkaRequest<readonly (TopicPartition & { readonly errorCode: number })[]> {
  const body = new WireWriter();
  const topics = byTopic(partitions);
  // The request header of a flexible version ends with its own tagged fields.
  body.uvarint(0).uvarint(2);
  body
    .int64(marker.producerId)
    .int16(marker.producerEpoch)
    .int8(marker.outcome === 'commit' ? 1 : 0)
    .uvarint(topics.length + 1);
  for (const [topic, list] of topics) {
    body.compactString(topic).uvarint(list.length + 1);
    for (const p of list) body.int32(p.partition);
    body.uvarint(0);
  }
  body.int32(marker.coordinatorEpoch).uvarint(0).uvarint(0);
  return {
    name: 'WriteTxnMarkers',
    apiKey: 27,
    apiVersion: 1,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.tags();
      const markers = reader.compactArray(() => {
        reader.int64();
        const inTopics = reader.compactArray(() => {
          const topic = reader.compactNullableString() ?? '';
          const inPartitions = reader.compactArray(() => {
            const answer = { topic, partition: reader.int32(), errorCode: reader.int16() };
            reader.tags();
            return answer;
          });
          reader.tags();
          return inPartitions;
        });
        reader.tags();
        return inTopics.flat();
      });
      return markers.flat();
    },
  };
}
