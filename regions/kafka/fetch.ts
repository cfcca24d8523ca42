import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** One partition to read, from `offset` on. */
export interface FetchPosition extends TopicPartition {
  readonly offset: bigint;
  readonly maxBytes: number;
  /** The epoch of its leader as the client knows it: a leader of another one refuses. Not looked at when absent. */
  readonly leaderEpoch?: number;
}

/** A fetch session of a broker (KIP-227). Id 0 with epoch 0 asks for a new one, epoch -1 for none. */
export interface SessionStep {
  readonly id: number;
  readonly epoch: number;
  /** Partitions that the session shall no longer hold. */
  readonly forgotten: readonly TopicPartition[];
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

/** What a broker answers to a fetch in a session. */
export interface FetchAnswer {
  /** Of the session as a whole. */
  readonly errorCode: number;
  /** 0: the broker keeps no session. */
  readonly sessionId: number;
  /** In a session only those that have something new. */
  readonly partitions: readonly FetchedPartition[];
}

const noSession: SessionStep = { id: 0, epoch: -1, forgotten: [] };

/** A fetch outside of any session: every partition is answered. */
export function fetchRequest(
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): KafkaRequest<readonly FetchedPartition[]> {
  return { ...sessionFetchRequest(noSession, positions, limits), read: readFetchResponse };
}

/**
 * Fetch (key 1), version 11, read_uncommitted. In a session the positions are those that are new or have changed.
 *
 *     request: replica i32 (-1) | maxWait i32 | minBytes i32 | maxBytes i32 | isolation i8 | session i32 | epoch i32
 *       | [topic string | [partition i32 | leaderEpoch i32 | offset i64 | logStart i64 | maxBytes i32]]
 *       | forgotten [topic string | [partition i32]] | rack string
 *     response: throttle i32 | error i16 | session i32 | [topic string | [partition i32 | error i16
 *       | highWatermark i64 | lastStable i64 | logStart i64 | aborted [producerId i64 | first i64] | preferred i32
 *       | records bytes]]
 *
 * Source: Kafka protocol guide, "Fetch API (Key: 1)"; KIP-227 for sessions, KIP-320 for the leader epoch, KIP-392 for
 * the rack.
 */
export function sessionFetchRequest(
  session: SessionStep,
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): KafkaRequest<FetchAnswer> {
  const body = new WireWriter();
  body.int32(-1).int32(limits.maxWaitMs).int32(1).int32(limits.maxBytes).int8(0).int32(session.id).int32(session.epoch);
  body.array(byTopic(positions), ([topic, partitions]) => {
    body.string(topic).array(partitions, (p) => {
      body
        .int32(p.partition)
        .int32(p.leaderEpoch ?? -1)
        .int64(p.offset)
        .int64(-1n)
        .int32(p.maxBytes);
    });
  });
  body.array(byTopic(session.forgotten), ([topic, partitions]) => {
    body.string(topic).array(partitions, (p) => {
      body.int32(p.partition);
    });
  });
  body.string('');
  return { name: 'Fetch', apiKey: 1, apiVersion: 11, body, read: readFetchAnswer };
}

/** The partitions in the body of a Fetch response; the error of the whole counts for each. */
export function readFetchResponse(bytes: Buffer): readonly FetchedPartition[] {
  const { errorCode, partitions } = readFetchAnswer(bytes);
  if (errorCode === 0) return partitions;
  return partitions.map((p) => ({ ...p, errorCode: p.errorCode || errorCode }));
}

/** Decodes the body of a Fetch response, version 11; the records are views of it. */
export function readFetchAnswer(bytes: Buffer): FetchAnswer {
  const reader = new WireReader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
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
      return { topic, partition, errorCode: partitionError, highWatermark, logStartOffset, records };
    });
  });
  return { errorCode, sessionId, partitions: topics.flat() };
}
