import type { Config } from '../../domain/config.ts';
import type { MirrorMakerConfig } from '../../domain/mirrormaker-config.ts';

/** What MirrorMaker 2 is to copy, from where to where. Holds no secret: those are references of Kafka Connect. */
export interface MirrorMakerFlow {
  /** The regions' names are MirrorMaker's aliases of the clusters. */
  readonly source: FlowSide;
  readonly target: FlowSide;
  /** Java expressions that have to match a whole topic name. */
  readonly topics: readonly string[];
  readonly topicsExclude: readonly string[];
  readonly groups: readonly string[];
  readonly groupsExclude: readonly string[];
  readonly settings: Pick<
    MirrorMakerConfig,
    'taskCount' | 'replicationPolicy' | 'exactlyOnce' | 'replicationFactor' | 'keepSyncs'
  >;
}

interface FlowSide {
  readonly alias: string;
  readonly bootstrap: readonly string[];
  /** Settings of Kafka's Java clients for TLS and login. */
  readonly client: Readonly<Record<string, string>>;
}

/** The flow that a configuration with `engine: mirrormaker2` describes, between the regions of these roles. */
export function mirrorMakerFlow(
  config: Pick<Config, 'regions' | 'topics' | 'topicPatterns' | 'groups' | 'jobs'>,
  section: MirrorMakerConfig,
  roles: { readonly primary: string; readonly standby: string },
): MirrorMakerFlow {
  const side = (alias: string): FlowSide => {
    const kafka = config.regions[alias]?.kafka;
    if (!kafka) throw new Error(`no region is called ${alias}`);
    return { alias, bootstrap: kafka.bootstrap, client: clientSettings(alias, kafka, section) };
  };
  const patterns = config.topicPatterns;
  return {
    source: side(roles.primary),
    target: side(roles.standby),
    topics: patterns ? patterns.include.map(javaExpression) : config.topics.map(quoted),
    topicsExclude: ['__.*', 'mm2-.*', ...(patterns?.exclude ?? []).map(javaExpression)],
    groups: [...config.jobs.map((j) => quoted(j.consumerGroup)), ...(config.groups?.include ?? []).map(javaExpression)],
    groupsExclude: ['connect-.*', '__.*', ...(config.groups?.exclude ?? []).map(javaExpression)],
    settings: section,
  };
}

function clientSettings(
  region: string,
  { tls, sasl }: Config['regions'][string]['kafka'],
  section: MirrorMakerConfig,
): Readonly<Record<string, string>> {
  const security = tls ? (sasl ? 'SASL_SSL' : 'SSL') : sasl ? 'SASL_PLAINTEXT' : 'PLAINTEXT';
  const login: Record<string, string> = {};
  if (sasl) {
    const plain = sasl.mechanism === 'PLAIN';
    const module = `org.apache.kafka.common.security.${plain ? 'plain.Plain' : 'scram.Scram'}LoginModule`;
    login['sasl.mechanism'] = sasl.mechanism;
    login['sasl.jaas.config'] =
      `${module} required username=${jaasText(sasl.username)} password="${section.saslPassword[region] ?? ''}";`;
  }
  return { 'security.protocol': security, ...login, ...section.clientSettings[region] };
}

const jaasText = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** A name as an expression that matches nothing else. */
const quoted = (name: string) => name.replace(/[.\\+*?^${}()|[\]]/g, '\\$&');

/** A pattern of argus.yaml as one of Java's, which has to match the whole name. */
function javaExpression(pattern: string): string {
  if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) return `.*(?:${pattern.slice(1, -1)}).*`;
  return pattern
    .replace(/[.\\+^${}()|[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
}

/** The name that MirrorMaker gives a topic on the standby. Source: IdentityReplicationPolicy, DefaultReplicationPolicy. */
export function standbyTopic(flow: MirrorMakerFlow, topic: string): string {
  return flow.settings.replicationPolicy === 'identity' ? topic : `${flow.source.alias}.${topic}`;
}

/** Where MirrorMaker writes its syncs; on the standby, so that they can be read while the primary is dark. */
export function syncsTopic(flow: MirrorMakerFlow): string {
  return `mm2-offset-syncs.${flow.source.alias}.internal`;
}

/** Where its heartbeats are written, on the standby. Source: ReplicationPolicy.heartbeatsTopic. */
export const heartbeatsTopic = 'heartbeats';
