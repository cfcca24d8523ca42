import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface TopicLeaders {
  readonly errorCode: number;
  readonly partitions: readonly {
    readonly partition: number;
    readonly errorCode: number;
    readonly leader: number;
    /** Grows with each election; -1 when the broker doesn't tell. */
    readonly leaderEpoch: number;
    /** How many replicas it has, and how many of them are in sync. */
    readonly replicas: number;
    readonly inSync: number;
  }[];
}

export interface ClusterMetadata {
  readonly brokers: ReadonlyMap<number, BrokerAddress>;
  readonly topics: ReadonlyMap<string, TopicLeaders>;
}

/**
 * Metadata (key 3), version 7; topics are never created by asking.
 *
 *     request: [topic string] | allowAutoCreation i8
 *     response: throttle i32 | [node i32 | host string | port i32 | rack string?] | cluster string? | controller i32
 *       | [error i16 | topic string | internal i8 | [error i16 | partition i32 | leader i32 | leaderEpoch i32
 *       | replicas [i32] | isr [i32] | offline [i32]]]
 *
 * Source: Kafka protocol guide, "Metadata API (Key: 3)".
 */
export function metadataRequest(topics: readonly string[]): KafkaRequest<ClusterMetadata> {
  const body = new WireWriter();
  body
    .array(topics, (topic) => {
      body.string(topic);
    })
    .int8(0);
  return { name: 'Metadata', apiKey: 3, apiVersion: 7, body, read: readMetadataResponse };
}

/** Decodes the body of a Metadata response, version 7. */
export function readMetadataResponse(bytes: Buffer): ClusterMetadata {
  const reader = new WireReader(bytes);
  const int32 = () => reader.int32();
  reader.int32();
  const brokers = reader.array(() => {
    const id = reader.int32();
    const address = { host: reader.string(), port: reader.int32() };
    reader.nullableString();
    return [id, address] as const;
  });
  reader.nullableString();
  reader.int32();
  const topics = reader.array(() => {
    const errorCode = reader.int16();
    const topic = reader.string();
    reader.int8();
    const partitions = reader.array(() => {
      const partitionError = reader.int16();
      const partition = reader.int32();
      const leader = reader.int32();
      const leaderEpoch = reader.int32();
      const replicas = reader.array(int32).length;
      const inSync = reader.array(int32).length;
      reader.array(int32);
      return { partition, errorCode: partitionError, leader, leaderEpoch, replicas, inSync };
    });
    partitions.sort((a, b) => a.partition - b.partition);
    return [topic, { errorCode, partitions }] as const;
  });
  return { brokers: new Map(brokers), topics: new Map(topics) };
}
