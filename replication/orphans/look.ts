import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import { type LogRange, type PartitionOffset, partitionKey, partitionsOf, smallerOf } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { decideSameTail } from '../topics/continuity.ts';
import { lastBatches } from '../topics/last-batches.ts';
import type { KnownTopics } from '../topics/plan-following.ts';
import { verifyTopics } from '../topics/verify.ts';
import { type Divergence, divergenceOf, partitionViews } from './divergence.ts';

/** One of the two sides, as far as their logs are compared. */
export interface ComparedSide {
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'logRanges'>;
  readonly brokers: KafkaEndpoint;
}

export interface LookOptions {
  readonly topics: readonly string[];
  /** Where the promoted log's shared part ends. */
  readonly promotedAt: readonly PartitionOffset[];
  /** Which topics they were while they were mirrored, the old primary's as the source; undefined: nobody noted it. */
  readonly known: KnownTopics | undefined;
  /** How long the old primary's log ends are watched; 0: not at all. */
  readonly stillMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const requestTimeoutMs = 10_000;

/**
 * Where the old primary's partitions stopped being the same as the active side's, from the logs as they are now. Reads
 * only. `OldPrimaryMoves` (exit code 3): somebody writes to the old primary, so that nothing about its end is true for long.
 */
export async function lookAtDivergence(
  old: ComparedSide,
  active: ComparedSide,
  options: LookOptions,
): Promise<readonly Divergence[]> {
  const { topics, promotedAt, known, stillMs, clock, signal } = options;
  const [here, there] = [
    await old.kafka.describeTopics(topics, { signal }),
    await active.kafka.describeTopics(topics, { signal }),
  ];
  const partitions = partitionsOf(here.values());
  if (partitions.length === 0) return [];
  const seen = await old.kafka.logRanges(partitions, { signal });
  if (stillMs > 0) {
    await clock.sleep(stillMs, signal);
    requireStill(old.name, seen, await old.kafka.logRanges(partitions, { signal }), stillMs);
  }
  const shared = partitionsOf(there.values());
  const ranges = shared.length === 0 ? [] : await active.kafka.logRanges(shared, { signal });
  const recreated = new Set(
    [...here.values()].flatMap(({ name, topicId }) => {
      const [noted, now] = [known?.[name], there.get(name)];
      return noted && now && (noted.sourceId !== topicId || noted.standbyId !== now.topicId) ? [name] : [];
    }),
  );
  const views = { promotedAt, old: seen, active: ranges, recreated };
  const first = partitionViews({ ...views, differences: new Map() }).map(divergenceOf);
  const suspects = await differingTails(old, active, first, signal);
  if (suspects.size === 0) return first;
  const differences = await firstDifferences(old, active, [...suspects], { clock, signal });
  return partitionViews({ ...views, differences }).map(divergenceOf);
}

/** Pure, but that it throws. */
function requireStill(region: string, before: readonly LogRange[], after: readonly LogRange[], stillMs: number): void {
  const ends = new Map(before.map((r) => [partitionKey(r), r.logEndOffset]));
  const moved = after.find((r) => ends.get(partitionKey(r)) !== r.logEndOffset);
  if (moved === undefined) return;
  throw new ArgusError(
    'OldPrimaryMoves',
    `${partitionKey(moved)} in ${region} grew to ${moved.logEndOffset} within ${stillMs / 1_000} s: somebody writes there`,
    { exitCode: 3, hint: `find out who writes to ${region} and stop it; what came is rescued by the next run` },
  );
}

/** Topics of which a partition ends its shared part in other records than the active side has there. */
async function differingTails(
  old: ComparedSide,
  active: ComparedSide,
  found: readonly Divergence[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const ends = new Map<string, bigint>();
  for (const d of found) {
    const end = smallerOf(d.old.to, d.sharedEnd);
    if (d.kind !== 'only-old' && end > d.old.from) ends.set(partitionKey(d), end);
  }
  const asked = found.filter((d) => ends.has(partitionKey(d)));
  if (asked.length === 0) return new Set();
  const topics = [...new Set(asked.map((d) => d.topic))];
  const [a, b] = [open(active.brokers), open(old.brokers)];
  try {
    await Promise.all([a.refresh(topics, signal), b.refresh(topics, signal)]);
    const [there, here] = await Promise.all([lastBatches(a, asked, ends, signal), lastBatches(b, asked, ends, signal)]);
    const differing = asked.filter((d) => decideSameTail(there.get(partitionKey(d)), here.get(partitionKey(d))));
    return new Set(differing.map((d) => d.topic));
  } finally {
    a.close();
    b.close();
  }
}

/** The first offset at which both sides hold other records, by `partitionKey`. Reads both logs whole. */
async function firstDifferences(
  old: ComparedSide,
  active: ComparedSide,
  topics: readonly string[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, bigint>> {
  const { signal } = options;
  const [here, there] = [
    await old.kafka.describeTopics(topics, { signal }),
    await active.kafka.describeTopics(topics, { signal }),
  ];
  const compacted = new Set<string>();
  for (const topic of topics) {
    for (const side of [old, active]) {
      const configs = await side.kafka.topicConfigs(topic, { signal });
      if (configs.get('cleanup.policy')?.includes('compact')) compacted.add(topic);
    }
  }
  const common = partitionsOf(
    [...here.values()].map(({ name, partitions }) => ({
      name,
      partitions: Math.min(partitions, there.get(name)?.partitions ?? 0),
    })),
  );
  const sides = { source: active.brokers, target: old.brokers };
  const compared = await verifyTopics({ ...sides, partitions: common, compacted, ...options });
  return new Map(compared.flatMap((c) => (c.difference ? [[partitionKey(c), c.difference.offset] as const] : [])));
}

const open = (brokers: KafkaEndpoint) =>
  new KafkaCluster({ ...brokers, clientId: 'argus-orphans', connectTimeoutMs: requestTimeoutMs, requestTimeoutMs });
