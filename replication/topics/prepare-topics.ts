import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { KafkaAdmin, TopicDescription } from '../../regions/kafka/kafka-admin.ts';

export interface PrepareSide {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'createTopic'>;
}

export interface PreparedTopics {
  /** Every partition to mirror. */
  readonly partitions: readonly TopicPartition[];
  /** Topics that were missing on the standby. */
  readonly created: readonly string[];
}

/** Kafka's largest duration: any timestamp is taken. */
const unlimitedMs = '9223372036854775807';
/** What the standby's topic takes over from the source's. */
const copiedConfigs = ['cleanup.policy', 'max.message.bytes', 'retention.ms', 'retention.bytes'] as const;

/**
 * Makes sure that the standby has each topic, with as many partitions. Nothing is created before all was checked.
 * `TopicMissing`, `TopicNotMirrorable` and `PartitionCountDiffers` are errors of the configuration (exit code 2).
 * May be called again.
 */
export async function prepareTopics(
  source: PrepareSide,
  target: PrepareSide,
  topics: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<PreparedTopics> {
  const atSource = await source.kafka.describeTopics(topics, options);
  const atTarget = await target.kafka.describeTopics(topics, options);
  const missing = planTopics(source.name, target.name, topics, atSource, atTarget);
  const configs = new Map<string, Readonly<Record<string, string>>>();
  for (const { name } of missing) {
    configs.set(name, standbyConfigs(source.name, name, await source.kafka.topicConfigs(name, options)));
  }
  for (const { name, partitions } of missing) {
    await target.kafka.createTopic({ name, partitions, configs: configs.get(name) ?? {} }, options);
  }
  return { partitions: partitionsOf(topics, atSource), created: missing.map((t) => t.name) };
}

/** The topics that the standby lacks; pure. Errors as of `prepareTopics`. */
export function planTopics(
  sourceName: string,
  targetName: string,
  topics: readonly string[],
  atSource: ReadonlyMap<string, TopicDescription>,
  atTarget: ReadonlyMap<string, TopicDescription>,
): readonly TopicDescription[] {
  const missing: TopicDescription[] = [];
  for (const name of topics) {
    const wanted = atSource.get(name);
    if (!wanted) {
      throw new ArgusError('TopicMissing', `topic "${name}" does not exist in ${sourceName}`, {
        hint: 'create the topic there or take it out of `topics` in argus.yaml',
        exitCode: 2,
      });
    }
    const existing = atTarget.get(name);
    if (!existing) missing.push(wanted);
    else if (existing.partitions !== wanted.partitions) {
      throw new ArgusError(
        'PartitionCountDiffers',
        `topic "${name}" has ${wanted.partitions} partitions in ${sourceName} and ${existing.partitions} in ${targetName}`,
        { hint: repairHint(name, targetName, wanted.partitions, existing.partitions), exitCode: 2 },
      );
    }
  }
  return missing;
}

/**
 * The standby topic's configuration: batches are kept as they come (`compression.type=producer`, CreateTime, any
 * timestamp), retention and size limits are the source's. A source that stamps on append is `TopicNotMirrorable`,
 * since brokers refuse such batches from a client.
 */
export function standbyConfigs(
  sourceName: string,
  topic: string,
  source: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  if (source.get('message.timestamp.type') === 'LogAppendTime') {
    throw new ArgusError('TopicNotMirrorable', `topic "${topic}" in ${sourceName} stamps records on append`, {
      hint: 'set message.timestamp.type=CreateTime on it, or take it out of `topics`',
      exitCode: 2,
    });
  }
  const copied = copiedConfigs.flatMap((key) => {
    const value = source.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    ...Object.fromEntries(copied),
    'compression.type': 'producer',
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.before.max.ms': unlimitedMs,
    'message.timestamp.after.max.ms': unlimitedMs,
  };
}

function partitionsOf(topics: readonly string[], at: ReadonlyMap<string, TopicDescription>): TopicPartition[] {
  return topics.flatMap((topic) =>
    Array.from({ length: at.get(topic)?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
  );
}

function repairHint(topic: string, region: string, wanted: number, existing: number): string {
  return existing < wanted
    ? `add partitions to "${topic}" in ${region} until it has ${wanted}`
    : `if nothing in ${region} needs it, delete "${topic}" there; the mirror creates it anew`;
}
