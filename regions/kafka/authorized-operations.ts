import { operationCodes } from './acls.ts';
import type { AclOperation } from './kafka-acls.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface AuthorizedOperations {
  /** Of each topic that was asked for; a topic that may not even be described has no right at all. */
  readonly topics: ReadonlyMap<string, { readonly errorCode: number; readonly operations: ReadonlySet<AclOperation> }>;
  readonly cluster: ReadonlySet<AclOperation>;
}

/**
 * Metadata (key 3), version 8, asked for what this client may do. Without an authorizer it may do everything.
 *
 *     request: [topic string] | allowAutoCreation i8 | clusterOperations i8 | topicOperations i8
 *     response: throttle i32 | [node i32 | host string | port i32 | rack string?] | cluster string? | controller i32
 *       | [error i16 | topic string | internal i8 | [error i16 | partition i32 | leader i32 | leaderEpoch i32
 *       | replicas [i32] | isr [i32] | offline [i32]] | operations i32] | clusterOperations i32
 *
 * Source: Kafka protocol guide, "Metadata API (Key: 3)"; KIP-430.
 */
export function authorizedOperationsRequest(topics: readonly string[]): KafkaRequest<AuthorizedOperations> {
  const body = new WireWriter();
  body
    .array(topics, (topic) => {
      body.string(topic);
    })
    .int8(0)
    .int8(1)
    .int8(1);
  return { name: 'Metadata', apiKey: 3, apiVersion: 8, body, read: readAuthorizedOperations };
}

function readAuthorizedOperations(bytes: Buffer): AuthorizedOperations {
  const reader = new WireReader(bytes);
  const int32 = () => reader.int32();
  reader.int32();
  reader.array(() => [reader.int32(), reader.string(), reader.int32(), reader.nullableString()]);
  reader.nullableString();
  reader.int32();
  const topics = reader.array(() => {
    const errorCode = reader.int16();
    const topic = reader.string();
    reader.int8();
    reader.array(() => {
      reader.int16();
      reader.int32();
      reader.int32();
      reader.int32();
      return [reader.array(int32), reader.array(int32), reader.array(int32)];
    });
    return [topic, { errorCode, operations: operationsOf(reader.int32()) }] as const;
  });
  return { topics: new Map(topics), cluster: operationsOf(reader.int32()) };
}

function operationsOf(bits: number): ReadonlySet<AclOperation> {
  const names = Object.keys(operationCodes) as AclOperation[];
  return new Set(names.filter((name) => (bits & (1 << operationCodes[name])) !== 0));
}
