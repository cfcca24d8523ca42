import { bubblePrefixes } from '../../domain/bubble.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { type KafkaUser, names, type RegionInfo } from '../lab-info.ts';

const mechanism = 'SCRAM-SHA-512';

/**
 * A broker's settings where its clients log in: SCRAM for all, PLAIN beside it for the ingest, and nothing allowed to
 * whom no rule allows it. The auditor's listener, where nobody logs in, is for the lab's own tools; who comes by it, or is
 * a broker, may do anything.
 */
export function loginSettings(
  users: NonNullable<RegionInfo['kafka']['users']>,
  listeners: readonly string[],
): Readonly<Record<string, string>> {
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const settings = listeners.map((listener) => {
    const of = `listener.name.${listener.toLowerCase()}`;
    return {
      [`${of}.sasl.enabled.mechanisms`]: `${mechanism},PLAIN`,
      [`${of}.scram-sha-512.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      [`${of}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain.join(' ')};`,
    };
  });
  return {
    ...Object.assign({}, ...settings),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
}

/** Arguments of `StorageTool format` by which a new broker knows the users. */
export function loginFormat(users: RegionInfo['kafka']['users']): readonly string[] {
  return Object.entries(users ?? {}).flatMap(([name, password]) => [
    '--add-scram',
    `${mechanism}=[name=${name},password=${password}]`,
  ]);
}

/**
 * Who may do what in a region. Argus has what docs/mirror.md and docs/configuration.md name, on both sides, since roles
 * change, and topics of its own. On the standby the ingest may not write: that is Argus' to allow at a promotion. The jobs
 * of drills may read what is mirrored, and write in their bubble alone.
 */
export function labRules(role: 'primary' | 'standby', drills = false): readonly Acl[] {
  const topics = [names.events.topic, names.metrics.topic];
  const rules: Acl[] = [];
  const allow = (
    user: KafkaUser | 'drill',
    resourceType: Acl['resourceType'],
    resourceName: string,
    operations: readonly Acl['operation'][],
    patternType: Acl['patternType'] = 'literal',
  ): void => {
    const common = { resourceType, resourceName, patternType, principal: `User:${user}`, host: '*' } as const;
    for (const operation of operations) rules.push({ ...common, operation, permission: 'ALLOW' });
  };
  for (const topic of topics) {
    allow('argus', 'topic', topic, ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS']);
  }
  allow('argus', 'topic', 'argus.', ['ALL'], 'prefixed');
  allow('argus', 'group', names.consumerGroup, ['READ']);
  allow('argus', 'group', 'argus', ['ALL'], 'prefixed');
  allow('argus', 'transactionalId', 'argus-', ['WRITE'], 'prefixed');
  allow('argus', 'transactionalId', '__argus-', ['WRITE'], 'prefixed');
  allow('argus', 'transactionalId', '*', ['DESCRIBE']);
  allow('argus', 'cluster', 'kafka-cluster', ['ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS']);
  allow('job', 'topic', names.events.topic, ['READ']);
  allow('job', 'topic', names.metrics.topic, ['WRITE']);
  allow('job', 'group', names.consumerGroup, ['READ']);
  allow('job', 'transactionalId', 'counts-', ['WRITE'], 'prefixed');
  if (role === 'primary') allow('ingest', 'topic', names.events.topic, ['WRITE']);
  if (drills) {
    allow('argus', 'cluster', 'kafka-cluster', ['ALTER_CONFIGS']);
    allow('drill', 'topic', names.events.topic, ['READ']);
    allow('drill', 'topic', bubblePrefixes.topic, ['READ', 'WRITE'], 'prefixed');
    allow('drill', 'group', bubblePrefixes.group, ['READ'], 'prefixed');
    allow('drill', 'transactionalId', bubblePrefixes.transactionalId, ['WRITE'], 'prefixed');
  }
  return rules;
}

/** The part of `argus.yaml` by which Argus logs in to a region's brokers, and keeps the others out. */
export function loginConfig(region: 'mumbai' | 'singapore', users: RegionInfo['kafka']['users']) {
  if (users === undefined) return {};
  const login = (user: KafkaUser) => ({ username: user, password: `env:${passwordVariable(region, user)}` });
  const writer = (user: KafkaUser) => ({ principal: `User:${user}`, login: login(user) });
  return {
    sasl: { mechanism, ...login('argus') },
    fence: { producers: [writer('ingest')], jobs: [writer('job')], topics: [names.metrics.topic] },
  };
}

/** The variable that holds a user's password for a region: `MUMBAI_KAFKA_ARGUS`. */
export const passwordVariable = (region: string, user: KafkaUser): string =>
  `${region.toUpperCase()}_KAFKA_${user.toUpperCase()}`;
