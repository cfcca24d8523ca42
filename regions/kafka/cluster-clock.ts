import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** A cluster's clock beside this machine's. */
export interface ClusterClock {
  /** How far the cluster's is ahead; negative where it is behind. */
  readonly aheadMs: number;
  /** The truth lies at most this far from it: half of the time that the question took. */
  readonly uncertaintyMs: number;
}

/**
 * DescribeQuorum (key 55), version 1 (flexible), for the instant of the answer: the leader of the controllers gives its
 * own time as that of its own last fetch. Undefined where it gives none. Needs DESCRIBE on the cluster.
 *
 *     request: tags | compact [topic compact string | compact [partition i32 | tags] | tags] | tags
 *     response: tags | error i16 | compact [topic compact string | compact [partition i32 | error i16 | leader i32
 *       | leaderEpoch i32 | highWatermark i64 | voters compact [replica] | observers compact [replica] | tags] | tags]
 *     replica: id i32 | logEnd i64 | lastFetch i64 | lastCaughtUp i64 | tags
 *
 * Source: KIP-595, KIP-836; `LeaderState.describeReplicaState` of Kafka 4.3.
 */
function describeQuorumRequest(): KafkaRequest<number | undefined> {
  // The request header of a flexible version ends with its own tagged fields.
  const body = new WireWriter().uvarint(0);
  body.uvarint(2).compactString('__cluster_metadata').uvarint(2).int32(0).uvarint(0).uvarint(0).uvarint(0);
  return { name: 'DescribeQuorum', apiKey: 55, apiVersion: 1, body, read: readLeaderTime };
}

function readLeaderTime(bytes: Buffer): number | undefined {
  const reader = new WireReader(bytes);
  reader.tags();
  if (reader.int16() !== 0) return undefined;
  const topics = reader.compactArray(() => {
    reader.compactNullableString();
    const partitions = reader.compactArray(() => {
      reader.int32();
      const errorCode = reader.int16();
      const leader = reader.int32();
      reader.int32();
      reader.int64();
      const replica = () => {
        const id = reader.int32();
        reader.int64();
        const lastFetchMs = Number(reader.int64());
        reader.int64();
        reader.tags();
        return { id, lastFetchMs };
      };
      const voters = reader.compactArray(replica);
      reader.compactArray(replica);
      reader.tags();
      return errorCode === 0 ? voters.find((v) => v.id === leader && v.lastFetchMs > 0)?.lastFetchMs : undefined;
    });
    reader.tags();
    return partitions;
  });
  return topics.flat().find((ms) => ms !== undefined);
}

/** The cluster's clock, or undefined where it can't be asked: without KRaft, or without DESCRIBE on the cluster. */
export async function clusterClock(
  cluster: KafkaCluster,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<ClusterClock | undefined> {
  let best: ClusterClock | undefined;
  // The connection is opened by the first question: the shorter of two tells more.
  for (let attempt = 0; attempt < 2; attempt++) {
    const askedMs = nowMs();
    const there = await cluster.ask(describeQuorumRequest, signal).catch(() => undefined);
    const answeredMs = nowMs();
    signal.throwIfAborted();
    if (there === undefined) return undefined;
    const uncertaintyMs = Math.max(1, (answeredMs - askedMs) / 2);
    if (best && best.uncertaintyMs <= uncertaintyMs) continue;
    best = { aheadMs: Math.round(there - (askedMs + answeredMs) / 2), uncertaintyMs };
  }
  return best;
}
