import { ArgusError, describeError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { KafkaAdmin, NewTopic } from '../../regions/kafka/kafka-admin.ts';
import { followedConfigs } from './topic-configs.ts';

export interface PrepareSide {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'createTopic' | 'alterTopicConfigs'>;
}

interface Options {
  readonly signal?: AbortSignal;
  /** Keys that the standby's topics take over, also later; the ordinary ones when not given. */
  readonly followed?: readonly string[] | undefined;
}

export interface TopicReview {
  /** Every partition that can be mirrored; those of a topic that the source lost for now are among them. */
  readonly partitions: readonly TopicPartition[];
  /** What the standby lacks, and how it is to be made. */
  readonly missing: readonly NewTopic[];
  /** Limits of the standby that source's batches would not pass, and that are to be raised before any is mirrored. */
  readonly raise: readonly { readonly topic: string; readonly configs: Readonly<Record<string, string>> }[];
  /** One for each topic that can't be mirrored, or not wholly, without losing identity; errors of the configuration. */
  readonly refused: readonly ArgusError[];
  /** What will do harm later, as sentences. */
  readonly warnings: readonly string[];
}

/** Kafka's largest duration: any timestamp is taken. */
const unlimitedMs = '9223372036854775807';
/** What the standby's topic takes over from the source's. */
const copiedConfigs = ['cleanup.policy', 'max.message.bytes', 'retention.ms', 'retention.bytes'] as const;

/**
 * Makes the topics that the standby lacks, after all were looked at, and raises limits that are too low. A topic that is
 * refused holds up no other. May be called again. Errors: `KafkaUnreachable` and the like; what is wrong with a topic is in the result.
 */
export async function prepareTopics(
  source: PrepareSide,
  target: PrepareSide,
  topics: readonly string[],
  options: Options = {},
): Promise<TopicReview> {
  const review = await reviewTopics(source, target, topics, options);
  const warnings = [...review.warnings];
  for (const topic of review.missing) await target.kafka.createTopic(topic, options);
  for (const { topic, configs } of review.raise) {
    try {
      await target.kafka.alterTopicConfigs(topic, configs, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      // What is small enough is mirrored all the same; a larger batch stops its partition, named.
      warnings.push(
        `topic "${topic}" in ${target.name} takes smaller batches than the source: ${describeError(error)}`,
      );
    }
  }
  return { ...review, warnings };
}

/** Looks at every topic on both sides and changes nothing. */
export async function reviewTopics(
  source: PrepareSide,
  target: PrepareSide,
  topics: readonly string[],
  options: Options = {},
): Promise<TopicReview> {
  const atSource = await source.kafka.describeTopics(topics, options);
  const atTarget = await target.kafka.describeTopics(topics, options);
  const views: TopicView[] = [];
  for (const name of topics) {
    const [here, there] = [atSource.get(name), atTarget.get(name)];
    views.push({
      name,
      sourcePartitions: here?.partitions,
      standbyPartitions: there?.partitions,
      source: here ? await source.kafka.topicConfigs(name, options) : new Map(),
      standby: there ? await target.kafka.topicConfigs(name, options) : new Map(),
    });
  }
  return judgeTopics(source.name, target.name, views, options.followed);
}

/** One topic as it was seen; `undefined` partitions: it does not exist. */
export interface TopicView {
  readonly name: string;
  readonly sourcePartitions: number | undefined;
  readonly standbyPartitions: number | undefined;
  readonly source: ReadonlyMap<string, string>;
  readonly standby: ReadonlyMap<string, string>;
}

/** What can be mirrored, and what not; pure. */
export function judgeTopics(
  sourceName: string,
  targetName: string,
  views: readonly TopicView[],
  followed: readonly string[] = followedConfigs,
): TopicReview {
  const partitions: TopicPartition[] = [];
  const missing: NewTopic[] = [];
  const raise: { topic: string; configs: Record<string, string> }[] = [];
  const refused: ArgusError[] = [];
  const warnings: string[] = [];
  for (const view of views) {
    const { name, sourcePartitions: wanted, standbyPartitions: existing } = view;
    if (wanted === undefined) {
      refused.push(
        new ArgusError('TopicMissing', `topic "${name}" does not exist in ${sourceName}`, {
          hint: 'create the topic there or take it out of `topics` in argus.yaml',
          exitCode: 2,
        }),
      );
    }
    const raised = followed.includes(sizeLimit) ? largerLimit(view) : undefined;
    if (raised !== undefined) raise.push({ topic: name, configs: { [sizeLimit]: raised } });
    const lost =
      identityLoss(sourceName, targetName, view) ?? (raised === undefined ? tooSmall(targetName, view) : undefined);
    if (lost) {
      refused.push(lost);
      continue;
    }
    if (wanted !== undefined && existing === undefined) {
      missing.push({ name, partitions: wanted, configs: standbyConfigs(view.source) });
    } else if (wanted !== undefined && existing !== undefined && existing !== wanted) {
      const message = `topic "${name}" has ${wanted} partitions in ${sourceName} and ${existing} in ${targetName}`;
      const hint = repairHint(name, targetName, wanted, existing);
      refused.push(new ArgusError('PartitionCountDiffers', message, { hint, exitCode: 2 }));
    }
    if (wanted !== undefined && existing !== undefined) warnings.push(...laterHarm(targetName, view, followed));
    const count = Math.min(wanted ?? existing ?? 0, existing ?? wanted ?? 0);
    for (let partition = 0; partition < count; partition++) partitions.push({ topic: name, partition });
  }
  return { partitions, missing, raise, refused, warnings };
}

/** What would make other records of them than the source has: they are never mirrored then. */
function identityLoss(sourceName: string, targetName: string, view: TopicView): ArgusError | undefined {
  const { name, source, standby } = view;
  const refuse = (message: string, hint: string) =>
    new ArgusError('TopicNotMirrorable', message, { hint, exitCode: 2 });
  if (source.get('message.timestamp.type') === 'LogAppendTime') {
    return refuse(
      `topic "${name}" in ${sourceName} stamps records on append`,
      'set message.timestamp.type=CreateTime on it, or take it out of `topics`',
    );
  }
  if (standby.get('message.timestamp.type') === 'LogAppendTime') {
    return refuse(
      `topic "${name}" in ${targetName} stamps records on append: the copies would lose their timestamps`,
      `set message.timestamp.type=CreateTime on "${name}" in ${targetName}`,
    );
  }
  const compression = standby.get('compression.type') ?? 'producer';
  if (compression !== 'producer') {
    return refuse(
      `topic "${name}" in ${targetName} compresses anew (compression.type=${compression}): the copies would be other bytes`,
      `set compression.type=producer on "${name}" in ${targetName}`,
    );
  }
  return undefined;
}

const sizeLimit = 'max.message.bytes';

/** The source's limit of a batch's size, where the standby's is lower. */
function largerLimit({ source, standby }: TopicView): string | undefined {
  const limit = source.get(sizeLimit);
  return Number(standby.get(sizeLimit) ?? Number.NaN) < Number(limit ?? Number.NaN) ? limit : undefined;
}

/** Nobody raises the limit: a batch may come that the standby doesn't take. */
function tooSmall(targetName: string, view: TopicView): ArgusError | undefined {
  const limit = largerLimit(view);
  if (limit === undefined) return undefined;
  const there = view.standby.get(sizeLimit);
  const message = `topic "${view.name}" in ${targetName} takes batches of ${there} bytes, the source's of ${limit}`;
  const hint = `set ${sizeLimit}=${limit} on "${view.name}" in ${targetName}, or name ${sizeLimit} in \`topicConfigs\``;
  return new ArgusError('BatchesTooLarge', message, { hint, exitCode: 2 });
}

/** Differences under which the standby will refuse batches, or drop records that the source still has. */
function laterHarm(
  targetName: string,
  { name, source, standby }: TopicView,
  followed: readonly string[],
): readonly string[] {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(`topic "${name}" in ${targetName} ${text}`);
  const number = (configs: ReadonlyMap<string, string>, key: string) => Number(configs.get(key) ?? Number.NaN);
  const oldest = standby.get('message.timestamp.before.max.ms');
  if (oldest !== undefined && oldest !== unlimitedMs)
    warn(`refuses old records (message.timestamp.before.max.ms=${oldest})`);
  if (!followed.includes('cleanup.policy') && standby.get('cleanup.policy') !== source.get('cleanup.policy')) {
    warn(`cleans up otherwise than the source (cleanup.policy=${standby.get('cleanup.policy')})`);
  }
  for (const key of ['retention.ms', 'retention.bytes'].filter((k) => !followed.includes(k))) {
    const [here, there] = [number(source, key), number(standby, key)];
    if (there >= 0 && (here < 0 || there < here)) warn(`keeps less than the source (${key}=${there})`);
  }
  return warnings;
}

/**
 * The standby topic's configuration: batches are kept as they come (`compression.type=producer`, CreateTime, any
 * timestamp), retention and size limits are the source's.
 */
export function standbyConfigs(source: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
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

function repairHint(topic: string, region: string, wanted: number, existing: number): string {
  return existing < wanted
    ? `add partitions to "${topic}" in ${region} until it has ${wanted}`
    : `if nothing in ${region} needs it, delete "${topic}" there; the mirror creates it anew`;
}
