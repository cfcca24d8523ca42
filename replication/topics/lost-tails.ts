import { partitionKey } from '../../domain/offsets.ts';
import { epochEndsRequest } from '../../regions/kafka/epoch-ends.ts';
import { isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import { partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { decideEpochEnd, type Stop } from './continuity.ts';
import { type PartitionState, setAside } from './partition-state.ts';
import type { SessionContext } from './session-context.ts';

/**
 * Which partitions of the source have another leader than when they were read, and lost by that what the standby has
 * of them; by key. It is remembered by this process alone which epochs were read: after a restart only the logs' ends
 * and last batches are compared. One that can't be asked for now is set aside.
 */
export async function lostTails(
  context: SessionContext,
  states: readonly PartitionState[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Stop>> {
  const { source, clock } = context;
  const elected = new Map(
    states.flatMap((s) => {
      const read = s.readEpoch !== undefined && s.readEpoch < source.leaderEpochOf(s) && s.mirroredEnd > 0n;
      return read ? [[s.key, s] as const] : [];
    }),
  );
  const stops = new Map<string, Stop>();
  for (const [node, list] of Map.groupBy(elected.values(), (s) => source.leaderOf(s))) {
    const positions = list.map((s) => ({
      topic: s.topic,
      partition: s.partition,
      currentEpoch: source.leaderEpochOf(s),
      epoch: s.readEpoch ?? -1,
    }));
    for (const answer of await source.send(node, 'control', epochEndsRequest(positions), { signal })) {
      const state = elected.get(partitionKey(answer));
      if (!state) continue;
      if (answer.errorCode !== kafkaError.none) {
        const why = partitionError(source.name, 'OffsetForLeaderEpoch', answer, answer.errorCode).message;
        if (isTransient(answer.errorCode)) setAside(state, 'source', why, clock.monotonic(), true);
        continue;
      }
      const stop = decideEpochEnd(state.mirroredEnd, answer.endOffset);
      if (stop) stops.set(state.key, stop);
    }
  }
  return stops;
}
