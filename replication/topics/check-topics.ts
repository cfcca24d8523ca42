import { type AuthorizedOperations, authorizedOperationsRequest } from '../../regions/kafka/authorized-operations.ts';
import { brokerConfigRequest } from '../../regions/kafka/describe-configs.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type CheckedPartition, type CheckSettings, judgeTopic, type TopicVerdict } from './check.ts';
import { checkLogs } from './check-logs.ts';

export interface CheckSide {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics' | 'topicConfigs'>;
  readonly brokers: KafkaEndpoint;
}

const requestTimeoutMs = 10_000;

/**
 * Looks at both sides of each topic, as the mirror's principal, and tells what the mirror would do with it. Changes
 * nothing. Errors: those of `KafkaCluster` and `KafkaAdmin` when a side can't be reached.
 */
export async function checkTopics(
  source: CheckSide,
  standby: CheckSide,
  topics: readonly string[],
  options: { readonly nowMs: number; readonly signal: AbortSignal; readonly followed?: readonly string[] | undefined },
): Promise<readonly TopicVerdict[]> {
  const [here, there] = [open(source.brokers), open(standby.brokers)];
  try {
    const { signal, nowMs } = options;
    const atSource = await lookAt(source, here, topics, signal);
    const atStandby = await lookAt(standby, there, topics, signal);
    const settings: CheckSettings = {
      source: source.name,
      standby: standby.name,
      nowMs,
      clusterRights: atStandby.rights.cluster,
      transactionLimitMs: await transactionLimit(there, topics, signal),
      followed: options.followed,
    };
    const verdicts: TopicVerdict[] = [];
    for (const name of topics) {
      const [a, b] = [await side(source, atSource, name, signal), await side(standby, atStandby, name, signal)];
      const readable = a.partitions !== undefined && a.rights?.has('READ') !== false;
      const comparable = readable && b.partitions !== undefined && b.rights?.has('READ') !== false;
      const all = Array.from({ length: a.partitions ?? 0 }, (_, partition) => ({ topic: name, partition }));
      // Those that the standby lacks are made, so only the source can be looked at.
      const [shared, added] = [all.slice(0, b.partitions ?? all.length), all.slice(b.partitions ?? all.length)];
      const compacted = [a, b].some((s) => s.configs.get('cleanup.policy')?.includes('compact'));
      const partitions: readonly CheckedPartition[] = readable
        ? [
            ...(await checkLogs({ source: here, standby: comparable ? there : undefined, compacted, signal }, shared)),
            ...(await checkLogs({ source: here, standby: undefined, compacted, signal }, added)),
          ]
        : [];
      const view = {
        name,
        sourcePartitions: a.partitions,
        standbyPartitions: b.partitions,
        source: a.configs,
        standby: b.configs,
      };
      verdicts.push(judgeTopic(settings, { view, source: a, standby: b, partitions }));
    }
    return verdicts;
  } finally {
    here.close();
    there.close();
  }
}

function open(endpoint: KafkaEndpoint): KafkaCluster {
  const timeouts = { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  return new KafkaCluster({ ...endpoint, clientId: 'argus-check', ...timeouts });
}

/** The longest time-out that every broker takes; undefined without DESCRIBE_CONFIGS on the cluster. */
async function transactionLimit(
  cluster: KafkaCluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const { brokers } = await cluster.refresh(topics, signal);
  const ask = (node: number) =>
    cluster.send(node, 'control', brokerConfigRequest(node, 'transaction.max.timeout.ms'), { signal });
  const values = await Promise.all([...brokers.keys()].map(ask));
  const known = values.map(Number).filter((ms) => Number.isFinite(ms));
  return known.length > 0 ? Math.min(...known) : undefined;
}

interface Look {
  readonly rights: AuthorizedOperations;
  readonly described: Awaited<ReturnType<KafkaAdmin['describeTopics']>>;
}

async function lookAt(
  side: CheckSide,
  cluster: KafkaCluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<Look> {
  await cluster.refresh(topics, signal);
  const rights = await cluster.ask(() => authorizedOperationsRequest(topics), signal);
  const visible = topics.filter((t) => mayDescribe(rights, t));
  return { rights, described: visible.length > 0 ? await side.kafka.describeTopics(visible, { signal }) : new Map() };
}

/** Denied is denied; of a topic that does not exist the brokers tell no rights. */
function mayDescribe(rights: AuthorizedOperations, topic: string): boolean {
  return rights.topics.get(topic)?.errorCode !== topicAuthorizationFailed;
}

const topicAuthorizationFailed = 29;

async function side({ kafka }: CheckSide, { rights, described }: Look, topic: string, signal: AbortSignal) {
  const found = described.get(topic);
  const granted = rights.topics.get(topic);
  const may = mayDescribe(rights, topic) ? (found ? granted?.operations : undefined) : new Set<never>();
  const configs: ReadonlyMap<string, string> =
    found && may?.has('DESCRIBE_CONFIGS') !== false ? await kafka.topicConfigs(topic, { signal }) : new Map();
  return { topicId: found?.topicId, partitions: found?.partitions, rights: may, configs };
}
