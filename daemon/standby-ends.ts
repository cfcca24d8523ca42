import { endOf, type PartitionOffset, partitionsOf } from '../domain/offsets.ts';
import type { Region } from '../regions/region.ts';

/** Where the standby's logs of these topics end now, asked within 5 s; topics that don't exist are left out. */
export async function standbyEnds(
  standby: Region,
  topics: readonly string[],
  signal?: AbortSignal,
): Promise<readonly PartitionOffset[]> {
  const deadline = AbortSignal.timeout(5_000);
  const call = { signal: signal ? AbortSignal.any([signal, deadline]) : deadline };
  const described = await standby.kafka.describeTopics(topics, call);
  const partitions = partitionsOf(described.values());
  return partitions.length === 0 ? [] : (await standby.kafka.logRanges(partitions, call)).map(endOf);
}
