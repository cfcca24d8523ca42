import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { BrokerAddress } from './metadata.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * The calls of a transactional id. In the first transaction protocol an epoch is raised by InitProducerId alone, so the
 * marker that EndTxn writes carries the epoch that fences; in the second one (`transaction.version` 2) each EndTxn
 * raises it. A request's version says which one is meant. Source: KIP-98, KIP-890; Kafka protocol guide.
 */

/**
 * FindCoordinator (key 10), version 2, for a transactional id.
 *
 *     request: key string | type i8 (1)
 *     response: throttle i32 | error i16 | message string? | node i32 | host string | port i32
 */
export function findTransactionCoordinatorRequest(
  transactionalId: string,
): KafkaRequest<{ readonly errorCode: number; readonly address: BrokerAddress }> {
  const body = new WireWriter().string(transactionalId).int8(1);
  return {
    name: 'FindCoordinator',
    apiKey: 10,
    apiVersion: 2,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.int32();
      const errorCode = reader.int16();
      reader.nullableString();
      reader.int32();
      return { errorCode, address: { host: reader.string(), port: reader.int32() } };
    },
  };
}

/**
 * InitProducerId (key 22), version 1. The first call makes the id with epoch 0, every further one raises the epoch.
 *
 *     request: transactionalId string? | timeout i32
 *     response: throttle i32 | error i16 | producerId i64 | producerEpoch i16
 */
export function initProducerIdRequest(
  transactionalId: string,
  transactionTimeoutMs: number,
): KafkaRequest<{ readonly errorCode: number; readonly producerId: bigint; readonly producerEpoch: number }> {
  const body = new WireWriter().string(transactionalId).int32(transactionTimeoutMs);
  return {
    name: 'InitProducerId',
    apiKey: 22,
    apiVersion: 1,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.int32();
      return { errorCode: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
    },
  };
}

/**
 * AddPartitionsToTxn (key 24), version 1.
 *
 *     request: transactionalId string | producerId i64 | producerEpoch i16 | [topic string | [partition i32]]
 *     response: throttle i32 | [topic string | [partition i32 | error i16]]
 */
export function addPartitionsToTxnRequest(
  transactionalId: string,
  producer: { readonly producerId: bigint; readonly producerEpoch: number },
  partitions: readonly TopicPartition[],
): KafkaRequest<readonly (TopicPartition & { readonly errorCode: number })[]> {
  const body = new WireWriter().string(transactionalId).int64(producer.producerId).int16(producer.producerEpoch);
  body.array(byTopic(partitions), ([topic, list]) => {
    body.string(topic).array(list, (p) => {
      body.int32(p.partition);
    });
  });
  return {
    name: 'AddPartitionsToTxn',
    apiKey: 24,
    apiVersion: 1,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.int32();
      const topics = reader.array(() => {
        const topic = reader.string();
        return reader.array(() => ({ topic, partition: reader.int32(), errorCode: reader.int16() }));
      });
      return topics.flat();
    },
  };
}

export type TransactionOutcome = 'commit' | 'abort';

/**
 * EndTxn (key 26), version 1. The markers are written after the answer.
 *
 *     request: transactionalId string | producerId i64 | producerEpoch i16 | committed i8
 *     response: throttle i32 | error i16
 */
export function endTxnRequest(
  transactionalId: string,
  producer: { readonly producerId: bigint; readonly producerEpoch: number },
  outcome: TransactionOutcome,
): KafkaRequest<{ readonly errorCode: number }> {
  const body = new WireWriter()
    .string(transactionalId)
    .int64(producer.producerId)
    .int16(producer.producerEpoch)
    .int8(outcome === 'commit' ? 1 : 0);
  return {
    name: 'EndTxn',
    apiKey: 26,
    apiVersion: 1,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.int32();
      return { errorCode: reader.int16() };
    },
  };
}

/**
 * EndTxn (key 26), version 5 (flexible), of the second transaction protocol: the marker carries the next epoch, with
 * which the next transaction goes on; whatever of this one comes late is refused.
 *
 *     request: tags | transactionalId compact string | producerId i64 | producerEpoch i16 | committed i8 | tags
 *     response: tags | throttle i32 | error i16 | producerId i64 | producerEpoch i16 | tags
 */
export function endTxnRaisingEpochRequest(
  transactionalId: string,
  producer: { readonly producerId: bigint; readonly producerEpoch: number },
  outcome: TransactionOutcome,
): KafkaRequest<{ readonly errorCode: number; readonly producerId: bigint; readonly producerEpoch: number }> {
  const body = new WireWriter()
    .uvarint(0)
    .compactString(transactionalId)
    .int64(producer.producerId)
    .int16(producer.producerEpoch)
    .int8(outcome === 'commit' ? 1 : 0)
    .uvarint(0);
  return {
    name: 'EndTxn',
    apiKey: 26,
    apiVersion: 5,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.tags();
      reader.int32();
      return { errorCode: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
    },
  };
}
