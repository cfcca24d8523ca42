import type { TopicPartition } from '../../domain/offsets.ts';
import { byTopic } from './by-topic.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** A partition, and the leader epoch whose end is wanted. */
export interface EpochPosition extends TopicPartition {
  /** The leader's epoch as the client knows it; -1: not looked at. */
  readonly currentEpoch: number;
  readonly epoch: number;
}

export interface EpochEnd extends TopicPartition {
  readonly errorCode: number;
  /** The largest epoch of the log that is not above the wanted one; -1 when the broker can't tell. */
  readonly epoch: number;
  /** Where that epoch ends in the log, exclusive; -1 when the broker can't tell. */
  readonly endOffset: bigint;
}

/**
 * OffsetForLeaderEpoch (key 23), version 3: where an epoch ends in the leader's log, which tells a client whether what
 * it has read is still there.
 *
 *     request: replica i32 (-1) | [topic string | [partition i32 | currentLeaderEpoch i32 | leaderEpoch i32]]
 *     response: throttle i32 | [topic string | [error i16 | partition i32 | leaderEpoch i32 | endOffset i64]]
 *
 * Source: Kafka protocol guide, "OffsetForLeaderEpoch API (Key: 23)"; KIP-320.
 */
export function epochEndsRequest(positions: readonly EpochPosition[]): KafkaRequest<readonly EpochEnd[]> {
  const body = new WireWriter();
  body.int32(-1).array(byTopic(positions), ([topic, list]) => {
    body.string(topic).array(list, (p) => {
      body.int32(p.partition).int32(p.currentEpoch).int32(p.epoch);
    });
  });
  return { name: 'OffsetForLeaderEpoch', apiKey: 23, apiVersion: 3, body, read: readEpochEndsResponse };
}

/** Decodes the body of an OffsetForLeaderEpoch response, version 3. */
export function readEpochEndsResponse(bytes: Buffer): readonly EpochEnd[] {
  const reader = new WireReader(bytes);
  reader.int32();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array((): EpochEnd => {
      const errorCode = reader.int16();
      const partition = reader.int32();
      const epoch = reader.int32();
      return { topic, partition, errorCode, epoch, endOffset: reader.int64() };
    });
  });
  return topics.flat();
}
