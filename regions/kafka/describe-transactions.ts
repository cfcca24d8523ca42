import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** The states of a transaction that is being ended: its marker still comes. Source: Kafka's `TransactionState`. */
export const endingStates: readonly string[] = ['PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'];

export interface DescribedTransaction {
  readonly transactionalId: string;
  readonly errorCode: number;
  readonly state: string;
  readonly timeoutMs: number;
  readonly startedAtMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * DescribeTransactions (key 65), version 0 (flexible), at the ids' coordinators: other brokers answer NOT_COORDINATOR for
 * them, also one that has not taken them up yet.
 *
 *     request: tags | compact [transactionalId compact string] | tags
 *     response: tags | throttle i32 | compact [error i16 | transactionalId compact string | state compact string
 *       | timeout i32 | start i64 | producerId i64 | producerEpoch i16 | compact [topic compact string
 *       | compact [partition i32] | tags] | tags] | tags
 *
 * Source: KIP-664; Kafka protocol guide.
 */
export function describeTransactionsRequest(
  transactionalIds: readonly string[],
): KafkaRequest<readonly DescribedTransaction[]> {
  const body = new WireWriter().uvarint(0).uvarint(transactionalIds.length + 1);
  for (const id of transactionalIds) body.compactString(id);
  body.uvarint(0);
  return { name: 'DescribeTransactions', apiKey: 65, apiVersion: 0, body, read: readDescribeTransactionsResponse };
}

/** Decodes a DescribeTransactions response, version 0, from the tagged fields of its header on. */
export function readDescribeTransactionsResponse(bytes: Buffer): readonly DescribedTransaction[] {
  const reader = new WireReader(bytes);
  reader.tags();
  reader.int32();
  return reader.compactArray((): DescribedTransaction => {
    const errorCode = reader.int16();
    const transactionalId = reader.compactNullableString() ?? '';
    const state = reader.compactNullableString() ?? '';
    const [timeoutMs, startedAtMs] = [reader.int32(), Number(reader.int64())];
    const [producerId, producerEpoch] = [reader.int64(), reader.int16()];
    reader.compactArray(() => {
      reader.compactNullableString();
      reader.compactArray(() => reader.int32());
      reader.tags();
    });
    reader.tags();
    return { transactionalId, errorCode, state, timeoutMs, startedAtMs, producerId, producerEpoch };
  });
}
