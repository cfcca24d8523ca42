import { ArgusError } from '../../domain/errors.ts';
import type { MirrorMakerFlow } from './flow.ts';

/** A connector's configuration, as Kafka Connect takes and gives it. */
export type ConnectorConfig = Readonly<Record<string, string>>;

const heartbeatSeconds = 1;
const refreshSeconds = 10;

/**
 * The connectors of a flow, by name. They run on Connect workers of the standby's Kafka: a source connector writes where
 * its workers belong to.
 *
 * - `offset.lag.max=0`: a sync for each record, as far as MirrorMaker gets them out, so that most offsets are translated
 *   without a look at the logs. The default of 100 leaves 100 records between two syncs.
 * - `isolation.level=read_committed`: records of aborted transactions don't come alive on the standby.
 * - `enable.idempotence=true`: Connect's producers do without, and could write a record twice after a time-out.
 * - `sync.topic.acls.enabled=false`: it would deny writing to everybody but MirrorMaker, also after a promotion.
 * - `heartbeats.replication.enabled=false`: heartbeats are written on the standby itself; nothing is written on the primary.
 *
 * Source: MirrorSourceConfig, MirrorCheckpointConfig, MirrorHeartbeatConfig of connect-mirror 4.3.1; KIP-382, KIP-618.
 */
export function connectorConfigs(flow: MirrorMakerFlow): ReadonlyMap<string, ConnectorConfig> {
  const { source, target, settings } = flow;
  const factor = `${settings.replicationFactor}`;
  const base = {
    'source.cluster.alias': source.alias,
    'target.cluster.alias': target.alias,
    ...under('source.cluster.', { 'bootstrap.servers': source.bootstrap.join(','), ...source.client }),
    ...under('target.cluster.', { 'bootstrap.servers': target.bootstrap.join(','), ...target.client }),
    'replication.policy.class': policyClass(settings.replicationPolicy),
    // Bytes pass as they are, whatever the workers are set to.
    'key.converter': byteConverter,
    'value.converter': byteConverter,
  };
  const name = (part: string) => connectorName(flow, part);
  return new Map<string, ConnectorConfig>([
    [
      name('source'),
      {
        ...base,
        ...mirrorSettings(flow),
        'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
        'tasks.max': `${settings.taskCount}`,
        ...under('source.consumer.', consumerSettings),
        ...under('producer.override.', producerSettings),
        ...(settings.exactlyOnce ? { 'exactly.once.support': 'required' } : {}),
      },
    ],
    [
      name('checkpoint'),
      {
        ...base,
        'connector.class': 'org.apache.kafka.connect.mirror.MirrorCheckpointConnector',
        'tasks.max': '1',
        ...checkpointSettings(flow),
        'offset-syncs.topic.location': 'target',
        'checkpoints.topic.replication.factor': factor,
      },
    ],
    [
      name('heartbeat'),
      {
        ...base,
        'connector.class': 'org.apache.kafka.connect.mirror.MirrorHeartbeatConnector',
        'tasks.max': '1',
        'emit.heartbeats.interval.seconds': `${heartbeatSeconds}`,
        'heartbeats.topic.replication.factor': factor,
      },
    ],
  ]);
}

/** The name of one of the flow's connectors; `part` is source, checkpoint or heartbeat. */
export function connectorName(flow: MirrorMakerFlow, part: string): string {
  return `argus-${flow.source.alias}-to-${flow.target.alias}-${part}`;
}

/**
 * The properties of MirrorMaker's dedicated mode for the same flow. It has no REST interface by which Argus could look
 * after it. Source: MirrorMakerConfig of connect-mirror 4.3.1.
 */
export function dedicatedProperties(flow: MirrorMakerFlow): string {
  const { source, target, settings } = flow;
  const arrow = `${source.alias}->${target.alias}`;
  const factor = `${settings.replicationFactor}`;
  const lines: Record<string, string> = {
    clusters: `${source.alias}, ${target.alias}`,
    ...under(`${source.alias}.`, { 'bootstrap.servers': source.bootstrap.join(','), ...source.client }),
    ...under(`${target.alias}.`, { 'bootstrap.servers': target.bootstrap.join(','), ...target.client }),
    [`${arrow}.enabled`]: 'true',
    [`${target.alias}->${source.alias}.enabled`]: 'false',
    // Else the reverse direction is started for its heartbeats, and writes to the primary.
    [`${target.alias}->${source.alias}.emit.heartbeats.enabled`]: 'false',
    'replication.policy.class': policyClass(settings.replicationPolicy),
    'tasks.max': `${settings.taskCount}`,
    ...under(`${arrow}.`, { ...mirrorSettings(flow), ...checkpointSettings(flow) }),
    'checkpoints.topic.replication.factor': factor,
    'heartbeats.topic.replication.factor': factor,
    'offset.storage.replication.factor': factor,
    // The last syncs of a partition that falls quiet wait for it; the default is a minute.
    [`${target.alias}.offset.flush.interval.ms`]: '1000',
    'status.storage.replication.factor': factor,
    'config.storage.replication.factor': factor,
    'emit.heartbeats.interval.seconds': `${heartbeatSeconds}`,
    ...under(`${source.alias}.consumer.`, consumerSettings),
    ...under(`${target.alias}.producer.`, producerSettings),
    [`${target.alias}.exactly.once.source.support`]: settings.exactlyOnce ? 'enabled' : 'disabled',
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** What decides about topics and their syncs. */
function mirrorSettings(flow: MirrorMakerFlow): ConnectorConfig {
  return {
    topics: list('topics', flow.topics),
    'topics.exclude': list('topics.exclude', flow.topicsExclude),
    'offset.lag.max': '0',
    'emit.offset-syncs.enabled': 'true',
    'offset-syncs.topic.location': 'target',
    'offset-syncs.topic.replication.factor': `${flow.settings.replicationFactor}`,
    'replication.factor': `${flow.settings.replicationFactor}`,
    'refresh.topics.interval.seconds': `${refreshSeconds}`,
    'sync.topic.acls.enabled': 'false',
    'heartbeats.replication.enabled': 'false',
  };
}

function checkpointSettings(flow: MirrorMakerFlow): ConnectorConfig {
  return {
    groups: list('groups', flow.groups),
    'groups.exclude': list('groups.exclude', flow.groupsExclude),
    'emit.checkpoints.enabled': 'true',
    'emit.checkpoints.interval.seconds': '5',
    'sync.group.offsets.enabled': 'true',
    'sync.group.offsets.interval.seconds': '5',
    'refresh.groups.interval.seconds': `${refreshSeconds}`,
  };
}

const byteConverter = 'org.apache.kafka.connect.converters.ByteArrayConverter';
const consumerSettings = { 'isolation.level': 'read_committed', 'auto.offset.reset': 'earliest' };
const producerSettings = { 'enable.idempotence': 'true', acks: 'all' };

const policyClass = (policy: 'identity' | 'default') =>
  `org.apache.kafka.connect.mirror.${policy === 'identity' ? 'Identity' : 'Default'}ReplicationPolicy`;

function under(prefix: string, settings: ConnectorConfig): ConnectorConfig {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [prefix + key, value]));
}

/** MirrorMaker parts its lists at commas, whatever an expression means by them. */
function list(key: string, expressions: readonly string[]): string {
  const wrong = expressions.find((e) => e.includes(','));
  if (wrong !== undefined)
    throw new ArgusError('PatternNotForMirrorMaker', `MirrorMaker's ${key} can't hold ${wrong}: it parts at commas`, {
      exitCode: 2,
      hint: 'write the regular expression without a comma: {2,3} as (?:..|...)',
    });
  return expressions.join(',');
}
