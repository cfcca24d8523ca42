import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, partitionsOf } from '../../domain/offsets.ts';
import { deleteTopicRequest } from '../../regions/kafka/delete-topics.ts';
import { topicOverridesRequest } from '../../regions/kafka/describe-configs.ts';
import { errorName, isDenied } from '../../regions/kafka/error-codes.ts';
import type { KafkaAdmin, NewTopic } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { withPlaceholders } from './align-plan.ts';
import { lastBatches } from './last-batches.ts';
import { standbyConfigs } from './prepare-topics.ts';
import { type ReseedLoss, reseedLosses } from './reseed-plan.ts';
import { type VerifyProgress, verifyTopics } from './verify.ts';

export interface ReseedSide {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs' | 'createTopic' | 'logRanges'>;
  readonly brokers: KafkaEndpoint;
}

export interface ReseedOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface ReseedPlan {
  /** The topic as it will be made anew: what was set on it, and the mirror's own settings. */
  readonly topic: NewTopic;
  readonly oldTopicId: string;
  /** What only the standby has. */
  readonly losses: readonly ReseedLoss[];
}

const requestTimeoutMs = 10_000;
const forgetMs = 20_000;

/**
 * Compares the whole topic on both sides, as far as both have it, and tells what deleting the standby's would lose.
 * Changes nothing. `ReseedRefused` (exit code 3): one side has no such topic.
 */
export async function planReseed(
  source: ReseedSide,
  standby: ReseedSide,
  topic: string,
  options: ReseedOptions,
): Promise<ReseedPlan> {
  const { signal, clock, onProgress } = options;
  const here = (await source.kafka.describeTopics([topic], { signal })).get(topic);
  const there = (await standby.kafka.describeTopics([topic], { signal })).get(topic);
  if (!here) throw refused(`${source.name} has no topic "${topic}": nothing could be mirrored anew`);
  if (!there) throw refused(`${standby.name} has no topic "${topic}": the mirror makes it when it starts`);
  const configs = await Promise.all([source, standby].map((s) => s.kafka.topicConfigs(topic, { signal })));
  const cluster = openCluster(standby.brokers);
  try {
    await cluster.refresh([topic], signal);
    const own = await cluster.ask(() => topicOverridesRequest(topic), signal);
    if (!own) throw refused(`the settings of topic "${topic}" in ${standby.name} can't be read`);
    const all = partitionsOf([there]);
    const common = all.slice(0, here.partitions);
    const compared = await verifyTopics({
      source: source.brokers,
      target: standby.brokers,
      partitions: common,
      compacted: new Set(configs.some((c) => c.get('cleanup.policy')?.includes('compact')) ? [topic] : []),
      clock,
      signal,
      ...(onProgress ? { onProgress } : {}),
    });
    // After the comparison: what the source has deleted meanwhile is lost as well.
    const ranges = await standby.kafka.logRanges(all, { signal });
    const sources = await source.kafka.logRanges(common, { signal });
    const ends = new Map(ranges.map((r) => [partitionKey(r), r.logEndOffset]));
    const starts = new Map(ranges.map((r) => [partitionKey(r), r.logStartOffset]));
    const newest = await lastBatches(cluster, all, ends, signal);
    const unaligned = await withPlaceholders(cluster, all, { starts, ends }, newest, signal);
    const views = ranges.map((range) => {
      const at = sources.find((s) => s.partition === range.partition);
      return {
        ...range,
        source: at && { start: at.logStartOffset, end: at.logEndOffset },
        placeholders: unaligned.has(partitionKey(range)),
        difference: compared.find((c) => c.partition === range.partition)?.difference,
      };
    });
    return {
      topic: {
        name: topic,
        partitions: here.partitions,
        configs: { ...Object.fromEntries(own), ...standbyConfigs(own) },
      },
      oldTopicId: there.topicId,
      losses: reseedLosses(views),
    };
  } finally {
    cluster.close();
  }
}

/**
 * Deletes the standby's topic and makes it anew, empty. Killed in between, the topic is absent, and the mirror makes it
 * at its next start. Errors: `ReseedRefused` when it is not the planned topic any more, those of `KafkaAdmin`.
 */
export async function reseedTopic(
  standby: ReseedSide,
  plan: ReseedPlan,
  mayAct: () => void,
  options: ReseedOptions,
): Promise<{ readonly topicId: string | undefined }> {
  const { signal, clock } = options;
  const { name } = plan.topic;
  const describe = async () => (await standby.kafka.describeTopics([name], { signal })).get(name);
  if ((await describe())?.topicId !== plan.oldTopicId) {
    throw refused(`topic "${name}" in ${standby.name} was made anew meanwhile`);
  }
  const cluster = openCluster(standby.brokers);
  try {
    mayAct();
    const code = await cluster.ask(() => deleteTopicRequest(name, requestTimeoutMs), signal);
    if (code !== 0) {
      const message = `${standby.name}: DeleteTopics of "${name}" answered ${errorName(code)}`;
      const hint = isDenied(code) ? `grant DELETE on topic "${name}" in ${standby.name}` : 'look at the broker`s log';
      throw new ArgusError(isDenied(code) ? 'KafkaDenied' : 'KafkaFailed', message, { hint });
    }
    const until = clock.monotonic() + forgetMs;
    while ((await describe()) !== undefined) {
      if (clock.monotonic() > until) {
        throw new ArgusError('KafkaFailed', `${standby.name}: topic "${name}" is still there after its deletion`, {
          hint: 'run the command again when it is gone, or start the mirror then',
        });
      }
      await clock.sleep(200, signal);
    }
    mayAct();
    await standby.kafka.createTopic(plan.topic, { signal });
    return { topicId: (await describe())?.topicId };
  } finally {
    cluster.close();
  }
}

function openCluster(endpoint: KafkaEndpoint): KafkaCluster {
  const timeouts = { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  return new KafkaCluster({ ...endpoint, clientId: 'argus-reseed', ...timeouts });
}

function refused(message: string): ArgusError {
  return new ArgusError('ReseedRefused', message, { exitCode: 3 });
}
