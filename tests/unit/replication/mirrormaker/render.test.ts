import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../cli/config/parse.ts';
import { standbyTopic, syncsTopic } from '../../../../replication/mirrormaker/flow.ts';
import { connectorConfigs, dedicatedProperties } from '../../../../replication/mirrormaker/render.ts';
import { sampleWith } from '../../cli/sample-config.ts';
import { mirrorMakerYaml, sampleFlow } from './mirrormaker-sample.ts';

const login = `      bootstrap: [127.0.1.1:19092]
      tls: {}
      sasl: { mechanism: SCRAM-SHA-512, username: argus, password: env:SECRET }`;
const secured = sampleWith('      bootstrap: [127.0.1.1:19092]', login);
// biome-ignore lint/suspicious/noTemplateCurlyInString: the notation of Kafka Connect's config providers
const finder = '${file:/etc/connect/secrets.properties:mumbai}';
const reference = `    saslPassword: { mumbai: "${finder}" }\n`;

function configOf(part: string, yaml?: string) {
  const config = connectorConfigs(sampleFlow(yaml)).get(`argus-mumbai-to-singapore-${part}`);
  if (!config) throw new Error(`no connector ${part}`);
  return config;
}

describe('the connectors of MirrorMaker 2', () => {
  test('copy the topics, keep exact syncs on the standby, and leave ACLs and the primary alone', () => {
    expect(configOf('source')).toMatchObject({
      'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
      'source.cluster.bootstrap.servers': '127.0.1.1:19092',
      'target.cluster.bootstrap.servers': '127.0.2.1:19092',
      topics: 'events',
      'offset.lag.max': '0',
      'offset-syncs.topic.location': 'target',
      'sync.topic.acls.enabled': 'false',
      'heartbeats.replication.enabled': 'false',
      'source.consumer.isolation.level': 'read_committed',
      'producer.override.enable.idempotence': 'true',
    });
    expect(configOf('checkpoint')).toMatchObject({ groups: 'counts', 'emit.checkpoints.enabled': 'true' });
    expect(configOf('heartbeat')).toMatchObject({ 'emit.heartbeats.interval.seconds': '1' });
  });

  test('want exactly-once of Kafka Connect only where it is asked for', () => {
    expect(configOf('source')['exactly.once.support']).toBeUndefined();
    const yaml = mirrorMakerYaml('    exactlyOnce: true\n');
    expect(configOf('source', yaml)['exactly.once.support']).toBe('required');
  });

  test('match names whole and patterns as they are meant', () => {
    const names = mirrorMakerYaml('', sampleWith('topics: [events]', 'topics: [events.v1, a-b]'));
    expect(configOf('source', names).topics).toBe('events\\.v1,a-b');
    const patterns = sampleWith('topics: [events]', 'topics: { include: ["or.*", "/^e(a|b)/"], exclude: ["*-test"] }');
    const config = configOf('source', mirrorMakerYaml('', patterns));
    expect(config.topics).toBe('or\\..*,.*(?:^e(a|b)).*');
    expect(config['topics.exclude']).toBe('__.*,mm2-.*,.*-test');
  });

  test('refuse an expression with a comma, at which MirrorMaker would part it', () => {
    const yaml = mirrorMakerYaml('', sampleWith('topics: [events]', 'topics: { include: ["/^e{1,2}/"] }'));
    expect(() => configOf('source', yaml)).toThrowError(expect.objectContaining({ code: 'PatternNotForMirrorMaker' }));
  });

  test('hold where Kafka Connect finds a password, never the password', () => {
    const config = configOf('source', mirrorMakerYaml(reference, secured));
    expect(config).toMatchObject({
      'source.cluster.security.protocol': 'SASL_SSL',
      'source.cluster.sasl.mechanism': 'SCRAM-SHA-512',
      'source.cluster.sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="argus" password="${finder}";`,
      'target.cluster.security.protocol': 'PLAINTEXT',
    });
  });

  test('are properties in the dedicated mode, in one direction', () => {
    const lines = dedicatedProperties(sampleFlow()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'clusters = mumbai, singapore',
        'mumbai->singapore.enabled = true',
        'singapore->mumbai.enabled = false',
        'mumbai->singapore.offset.lag.max = 0',
        'singapore.exactly.once.source.support = disabled',
      ]),
    );
  });

  test('name topics on the standby by the policy', () => {
    expect(standbyTopic(sampleFlow(), 'events')).toBe('events');
    const flow = sampleFlow(mirrorMakerYaml('    replicationPolicy: default\n'));
    expect([standbyTopic(flow, 'events'), syncsTopic(flow)]).toEqual([
      'mumbai.events',
      'mm2-offset-syncs.mumbai.internal',
    ]);
  });
});

describe('the configuration of MirrorMaker 2', () => {
  const cases: [string, string, RegExp][] = [
    [
      'an engine without its section',
      mirrorMakerYaml().replace(/ {2}mirrormaker:[\s\S]*$/, ''),
      /argus.yaml:49:11: .*mirrormaker2 needs/,
    ],
    [
      'a login whose password Kafka Connect has nowhere',
      mirrorMakerYaml('', secured),
      /mumbai's Kafka asks for a login/,
    ],
    [
      'a password in the file',
      mirrorMakerYaml(reference.replace(/"\$.*"/, 'secret'), secured),
      /a reference that Kafka Connect resolves/,
    ],
    [
      'a secret among the client settings',
      mirrorMakerYaml('    clientSettings: { mumbai: { ssl.truststore.password: secret } }\n'),
      /a reference that Kafka Connect resolves/,
    ],
    ['a region that is none', mirrorMakerYaml('    clientSettings: { delhi: {} }\n'), /no region is called "delhi"/],
    [
      'a standby without Kafka Connect',
      mirrorMakerYaml().replace('{ singapore:', '{ mumbai:'),
      /argus.yaml:51:5: .*no address of Kafka Connect for singapore/,
    ],
    ['half a login', mirrorMakerYaml('    username: argus\n'), /username and password are needed together/],
  ];
  test.each(cases)('refuses %s', (_, yaml, expected) => {
    expect(() => parseConfig(yaml, 'argus.yaml')).toThrowError(expected);
  });
});
