import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';

/** One of the processes that share the partitions. */
export interface ShareMember {
  readonly id: string;
  /** What it mirrored until now. */
  readonly owned: readonly TopicPartition[];
}

/**
 * Gives each partition to exactly one member: none has two more than another, and what a member had it keeps as far as
 * that allows. The same members and partitions give the same answer in any order. Pure.
 */
export function sharePartitions(
  partitions: readonly TopicPartition[],
  members: readonly ShareMember[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const free = new Map([...partitions].sort(byPartition).map((p) => [partitionKey(p), p]));
  const claims = [...members]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, owned }) => {
      // What two members claim is the first one's: the other slept through a change of hands.
      const valid = owned.filter((p) => free.delete(partitionKey(p)));
      return { id, kept: valid };
    });
  const least = Math.floor(partitions.length / (members.length || 1));
  const extra = partitions.length - least * members.length;
  // Who has most may keep one more.
  const bySize = [...claims].sort((a, b) => b.kept.length - a.kept.length);
  const quota = new Map(bySize.map(({ id }, rank) => [id, rank < extra ? least + 1 : least]));
  const known = new Map(partitions.map((p) => [partitionKey(p), p]));
  const rest = [...free.values()];
  for (const { id, kept } of claims) rest.push(...kept.slice(quota.get(id)));
  rest.sort(byPartition);
  return new Map(
    claims.map(({ id, kept }) => {
      const room = quota.get(id) ?? 0;
      const own = kept.slice(0, room).map((p) => known.get(partitionKey(p)) ?? p);
      return [id, [...own, ...rest.splice(0, room - own.length)].sort(byPartition)];
    }),
  );
}

/** For people: `events 0-3,7; orders 1`. */
export function partitionsText(partitions: readonly TopicPartition[]): string {
  const byTopic = Map.groupBy([...partitions].sort(byPartition), (p) => p.topic);
  return [...byTopic]
    .map(([topic, list]) => {
      const runs: [number, number][] = [];
      for (const { partition } of list) {
        const last = runs.at(-1);
        if (last && last[1] === partition - 1) last[1] = partition;
        else runs.push([partition, partition]);
      }
      return `${topic} ${runs.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(',')}`;
    })
    .join('; ');
}
