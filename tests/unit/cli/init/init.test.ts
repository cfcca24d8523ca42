import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../../cli/config/parse.ts';
import { answersOf, answersShape, requireReferences } from '../../../../cli/init/answers.ts';
import { type Asker, nobody, requireNothingMissing } from '../../../../cli/init/ask.ts';
import {
  completeJobs,
  completeRecords,
  completeSide,
  completeTopics,
  variableOf,
} from '../../../../cli/init/complete.ts';
import { type FoundRegion, foundJob, prefixOf } from '../../../../cli/init/look.ts';
import { initOptions } from '../../../../cli/init/options.ts';
import { type InitPlan, renderInit } from '../../../../cli/init/render.ts';
import { writeConfig } from '../../../../cli/init/write-config.ts';

const none = answersShape.parse({});
const answers = answersOf(
  {
    primary: 'mumbai',
    primaryAddress: '203.0.113.10',
    primaryKafka: 'k1.example:9093, k2.example:9093',
    primaryKafkaUser: 'argus',
    primaryKafkaPassword: 'env:MUMBAI_KAFKA_PASSWORD',
    primaryObjects: 'https://s3.example',
    primaryBucket: 'flink',
    primaryS3Key: 'env:KEY',
    primaryS3Secret: 'file:secrets/s3',
    primaryFlink: 'http://flink.mumbai.example:8081',
    standby: 'singapore',
    standbyAddress: '203.0.113.20',
    standbyKafka: 'k1.sg.example:9093',
    standbyObjects: 'https://s3.sg.example',
    standbyBucket: 'flink-replica',
    standbyS3Key: 'env:KEY',
    standbyS3Secret: 'env:SECRET',
    standbyFlink: 'http://flink.sg.example:8081',
    dnsZone: 'example.com',
    state: 's3://argus-state/production',
  },
  none,
);
const plan = (over: Partial<InitPlan> = {}): InitPlan => ({
  answers,
  topics: ['events'],
  jobs: [
    { name: 'counts', group: 'counts', prefix: 'checkpoints', jar: 'jobs/c.jar', entryClass: 'a.B', parallelism: 2 },
  ],
  records: ['ingest.example.com'],
  resolvers: ['1.1.1.1:53'],
  remarks: [],
  ...over,
});

test('every option is an answer, and the other way round', () => {
  const keys = (shape: object) => Object.keys(shape);
  const flat = (of: string) => (key: string) => (key === 'name' ? of : `${of}${key[0]?.toUpperCase()}${key.slice(1)}`);
  const { primary, standby, ...rest } = answersShape.shape;
  const all = [
    ...keys(primary.unwrap().shape).map(flat('primary')),
    ...keys(standby.unwrap().shape).map(flat('standby')),
    ...keys(rest),
  ].map((key) => `--${key.replace(/[A-Z0-9]*[A-Z]/g, (c) => (c.length > 1 ? c : `-${c.toLowerCase()}`))}`);
  const flags = initOptions.map(({ flag }) => flag);
  const plain = (list: readonly string[]) => list.map((flag) => flag.replaceAll('-', '').toLowerCase()).sort();
  expect(plain(flags)).toEqual(plain(all));
});

test('options count before the file of answers', () => {
  const file = answersShape.parse({ primary: { name: 'a', kafka: ['k:1'] }, topics: 'x, y', port: 1 });
  const merged = answersOf({ primary: 'b', topics: 'z' }, file);
  expect(merged.primary).toEqual({ name: 'b', kafka: ['k:1'] });
  expect(merged.topics).toEqual(['z']);
  expect(merged.port).toBe(1);
});

test.each<readonly [string, Partial<InitPlan>]>([
  ['session clusters', {}],
  ['a folder for the state', { answers: { ...answers, state: 'file:./state' } }],
  ['Route 53', { answers: { ...answers, route53: 'Z0123' } }],
  ['TLS with a file', { answers: { ...answers, primary: { ...answers.primary, kafkaTls: 'ca.pem' } } }],
  ['the system’s authorities', { answers: { ...answers, primary: { ...answers.primary, kafkaTls: 'system' } } }],
  [
    'drills',
    {
      answers: {
        ...answers,
        standby: { ...answers.standby, drillFlink: 'http://d:8081', drillArgs: ['--out', '{topic:counts}'] },
      },
    },
  ],
  ['remarks with line breaks and signs', { remarks: [{ about: 'mumbai.kafka', remark: 'no: "a\n#b' }] }],
  ['names that YAML would read otherwise', { topics: ['1', 'no', 'null', '-a'], records: ['on'] }],
  [
    'the operator in both regions',
    {
      answers: {
        ...answers,
        primary: { ...answers.primary, flink: 'kubernetes', kubeconfig: '~/.kube/config' },
        standby: { ...answers.standby, flink: 'kubernetes', kubeContext: 'sg' },
      },
      jobs: [
        { name: 'counts', group: 'g', prefix: 'cp', parallelism: 1, deployment: { namespace: 'data', name: 'counts' } },
      ],
    },
  ],
])('what is written is a valid configuration: %s', (_, over) => {
  const text = renderInit(plan(over));
  const config = parseConfig(text, 'argus.yaml');
  expect(config.roles).toEqual({ primary: 'mumbai', standby: 'singapore' });
  expect(config.topics).toEqual(plan(over).topics);
});

/** Proposals as if they were in force. */
const inForce = (over?: Partial<InitPlan>) =>
  renderInit(plan(over))
    .replaceAll(/^# (groups|automatic)/gm, '$1')
    .replaceAll(/^ {4}# ( *(?:drill|args|kubernetes|compare):?)/gm, '    $1')
    .replaceAll(/^( {6})# fence/gm, '$1fence')
    .replaceAll(/^# (drill:)/gm, '$1')
    .replaceAll(/^# {3}(timeout|regions)/gm, '  $1');

test('proposals that are commented out are valid too', () => {
  const config = parseConfig(inForce(), 'argus.yaml');
  expect(config.jobs[0]?.drill?.args?.singapore).toContain('{group}');
  expect(config.regions.mumbai?.kafka.fence?.producers).toHaveLength(1);
  expect(config.drill.regions.singapore?.flink).toBeDefined();
});

const operators = (standby: Partial<InitPlan['answers']['standby']> = {}): Partial<InitPlan> => ({
  answers: {
    ...answers,
    primary: { ...answers.primary, flink: 'kubernetes' },
    standby: { ...answers.standby, flink: 'kubernetes', ...standby },
  },
  jobs: [
    {
      name: 'counts',
      group: 'g',
      prefix: 'cp',
      parallelism: 1,
      deployment: { namespace: 'data', name: 'session', sessionJob: 'counts' },
    },
  ],
});

test('where the operator runs the jobs, drills as FlinkDeployments are proposed', () => {
  const proposed = parseConfig(inForce(operators()), 'argus.yaml');
  expect(proposed.jobs[0]?.drill?.kubernetes).toEqual({
    singapore: { namespace: 'argus-drills', manifest: 'jobs/counts-drill-singapore.yaml' },
  });
  expect(proposed.drill.regions).toEqual({ singapore: { principal: 'User:drill' } });
  expect(proposed.jobs[0]?.kubernetes?.singapore).toMatchObject({ deployment: 'session', sessionJob: 'counts' });
  expect(parseConfig(renderInit(plan(operators())), 'argus.yaml').jobs[0]?.drill).toBeUndefined();
});

test('a namespace for drills that is given is written, and one of production’s is refused', () => {
  const given = { drillNamespace: 'trials', drillManifest: 'drill.yaml', drillPrincipal: 'User:drill' };
  const config = parseConfig(renderInit(plan(operators(given))), 'argus.yaml');
  expect(config.jobs[0]?.drill?.kubernetes).toEqual({ singapore: { namespace: 'trials', manifest: 'drill.yaml' } });
  expect(config.drill.regions).toEqual({ singapore: { principal: 'User:drill' } });
  // One file is one job's.
  const [job] = operators().jobs!;
  const two = {
    ...operators(given),
    jobs: [job!, { ...job!, name: 'sums', deployment: { namespace: 'data', name: 's' } }],
  };
  const manifests = parseConfig(renderInit(plan(two)), 'argus.yaml').jobs.map(
    (each) => each.drill?.kubernetes?.singapore,
  );
  expect(manifests.map((each) => each?.manifest)).toEqual([
    'jobs/counts-drill-singapore.yaml',
    'jobs/sums-drill-singapore.yaml',
  ]);
  const production = renderInit(plan(operators({ drillNamespace: 'data' })));
  expect(() => parseConfig(production, 'argus.yaml')).toThrow(/is production's/);
});

test.each<readonly [string, Parameters<typeof foundJob>[0], ReturnType<typeof foundJob>]>([
  [
    'a deployment',
    object('FlinkDeployment', 'a', { job: {} }),
    [{ name: 'a', deployment: { namespace: 'n', name: 'a' } }],
  ],
  ['a session cluster', object('FlinkDeployment', 'c', {}), []],
  [
    'a session job',
    object('FlinkSessionJob', 'j', { deploymentName: 'c', job: {} }),
    [{ name: 'j', deployment: { namespace: 'n', name: 'c', sessionJob: 'j' } }],
  ],
  ['a drill’s', object('FlinkDeployment', 'argus-drill-20261122t033000z-ab12-0', { job: {} }), []],
])('what the objects of a cluster are as jobs: %s', (_, given, expected) => {
  expect(foundJob(given)).toEqual(expected);
});

function object(kind: string, name: string, spec: object): Parameters<typeof foundJob>[0] {
  return { apiVersion: 'flink.apache.org/v1beta1', kind, metadata: { name, namespace: 'n' }, spec };
}

const found: FoundRegion = {
  kafka: { found: { topics: ['__consumer_offsets', 'argus.heartbeat', 'events'], groups: ['counts', 'other'] } },
  objects: { found: { folders: [] } },
  flink: { found: [{ name: 'counts', prefix: 'cp/counts' }] },
};

test.each([
  ['--primary-kafka-password', { primary: { kafkaPassword: 'hunter2' } }],
  ['--standby-s3-key', { standby: { s3Key: 'hunter2' } }],
  ['--standby-s3-secret', { standby: { s3Secret: 'hunter2' } }],
  ['--dns-token', { dnsToken: 'hunter2' }],
  ['--state-secret', { stateSecret: 'hunter2' }],
])('a secret by value is refused and not repeated: %s', (flag, given) => {
  expect(initOptions.map((option) => option.flag)).toContain(flag);
  const message = `${flag} takes the place of a secret, not the secret itself`;
  expect(() => requireReferences(given)).toThrow(
    expect.objectContaining({ code: 'ConfigError', exitCode: 2, message }),
  );
  requireReferences(answers);
});

test('nobody is asked: what was found is taken, what is open is named', async () => {
  const missing: string[] = [];
  const ask = nobody(missing);
  expect(await completeTopics(ask, answers, found)).toEqual(['events']);
  expect(await completeJobs(ask, answers, found)).toEqual([
    {
      name: 'counts',
      group: 'counts',
      prefix: 'cp/counts',
      jar: 'jobs/counts.jar',
      entryClass: 'com.example.Main',
      parallelism: 1,
    },
  ]);
  expect(missing).toEqual([]);
  requireNothingMissing(missing);
  await completeSide(ask, 'standby', {});
  expect(missing).toEqual(
    expect.arrayContaining(['--standby', '--standby-address', '--standby-kafka', '--standby-bucket']),
  );
  expect(() => requireNothingMissing(missing)).toThrow(/--standby-flink/);
});

test('where nobody is asked, names that lead elsewhere are not taken for names that follow the primary', async () => {
  const missing: string[] = [];
  const www = { name: 'www.example.com', content: '198.51.100.7' };
  expect(await completeRecords(nobody(missing), answers, [www], false)).toEqual([]);
  expect(missing).toEqual(['--records']);
  const ingest = { name: 'ingest.example.com', content: '203.0.113.10' };
  expect(await completeRecords(nobody([]), answers, [www, ingest], false)).toEqual([ingest.name]);
  const all: Asker = { text: async () => undefined, some: async (_, choices) => choices };
  expect(await completeRecords(all, answers, [www], true)).toEqual([www.name]);
});

test('a person is asked only what is open, and secrets are references by the region’s name', async () => {
  const asked: string[] = [];
  const ask: Asker = {
    async text({ flag, fallback }) {
      asked.push(flag);
      return fallback ?? 'given';
    },
    some: async (_, choices) => choices,
  };
  const { name: _, ...rest } = answers.primary;
  const side = await completeSide(ask, 'primary', {
    ...rest,
    name: 'eu-1',
    kafkaPassword: undefined,
    s3Key: undefined,
  });
  expect(asked).toEqual(['--primary-kafka-tls', '--primary-kafka-password', '--primary-s3-region', '--primary-s3-key']);
  expect(side).toMatchObject({ kafkaPassword: 'env:EU_1_KAFKA_PASSWORD', s3Key: 'env:EU_1_S3_KEY' });
  expect(variableOf('eu-1.a')).toBe('EU_1_A');
});

test('the folder of checkpoints is read from where Flink says the newest lies', () => {
  expect(prefixOf(`s3://b/flink/counts/${'a'.repeat(32)}/chk-12`)).toBe('flink/counts');
  expect(prefixOf('file:/tmp/x/chk-1')).toBeUndefined();
});

test('a configuration is written whole, and replaced only when that is asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'argus-init-'));
  try {
    const path = join(folder, 'argus.yaml');
    await writeConfig(path, 'one', false);
    await expect(writeConfig(path, 'two', false)).rejects.toMatchObject({ code: 'ConfigExists', exitCode: 2 });
    expect(await readFile(path, 'utf8')).toBe('one');
    await writeConfig(path, 'two', true);
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['argus.yaml']);
    await expect(writeConfig(join(folder, 'absent/argus.yaml'), '', false)).rejects.toMatchObject({ exitCode: 2 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
