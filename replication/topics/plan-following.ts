import type { Throttle } from '../../domain/mirror-config.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { TopicDescription } from '../../regions/kafka/kafka-admin.ts';
import type { Stop } from './continuity.ts';

/** What a mirror is to mirror from now on. */
export interface Following {
  /** They exist on both sides. */
  readonly partitions: readonly TopicPartition[];
  /** Topics that are not mirrored for now, and why; lifted when they are no longer named here. */
  readonly held: Readonly<Record<string, Stop>>;
  /** How fast the source may be read; as fast as it goes when absent. */
  readonly throttle?: Throttle | undefined;
}

/** Which topics a pair of names stood for, by their ids on both sides. */
export type KnownTopics = Readonly<Record<string, { readonly sourceId: string; readonly standbyId: string }>>;

/** The topics whose partitions the standby has too few of, with the count that they need. */
export function planGrowth(
  atSource: ReadonlyMap<string, TopicDescription>,
  atStandby: ReadonlyMap<string, TopicDescription>,
): readonly { readonly topic: string; readonly partitions: number }[] {
  return [...atSource.values()].flatMap(({ name, partitions }) => {
    const there = atStandby.get(name)?.partitions;
    return there !== undefined && there < partitions ? [{ topic: name, partitions }] : [];
  });
}

/**
 * Tells topics that were deleted and made anew at the source, by their ids, and what is to be remembered. Where the
 * standby's topic was made anew as well, it is a new pair. Pure.
 */
export function judgeIdentity(
  known: KnownTopics,
  atSource: ReadonlyMap<string, TopicDescription>,
  atStandby: ReadonlyMap<string, TopicDescription>,
): { readonly known: KnownTopics; readonly recreated: Readonly<Record<string, Stop>> } {
  const next: Record<string, KnownTopics[string]> = {};
  const recreated: Record<string, Stop> = {};
  for (const name of new Set([...Object.keys(known), ...atSource.keys()])) {
    const [before, here, there] = [known[name], atSource.get(name), atStandby.get(name)];
    if (before && here && here.topicId !== before.sourceId && there?.topicId === before.standbyId) {
      const detail = `the source's topic was deleted and made anew (id ${before.sourceId}, now ${here.topicId}): the standby holds records of the old one`;
      recreated[name] = { reason: 'TopicRecreated', detail };
      next[name] = before;
    } else if (here && there) next[name] = { sourceId: here.topicId, standbyId: there.topicId };
    else if (before) next[name] = before;
  }
  return { known: next, recreated };
}
