import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { checkClusters } from '../../replication/topics/check-clusters.ts';
import { checkTopics } from '../../replication/topics/check-topics.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { deleteBefore } from '../support/raise-log.ts';

let primary: TestBroker;
let standby: TestBroker;
let admins: readonly [PlatformaticAdmin, PlatformaticAdmin];

beforeAll(async () => {
  const authorizer = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
  };
  [primary, standby] = await Promise.all([startTestBroker(), startTestBroker(authorizer)]);
  admins = [
    new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] }),
    new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.address] }),
  ];
});
afterAll(async () => {
  await Promise.all((admins ?? []).map((a) => a.close()));
  await Promise.all([primary?.stop(), standby?.stop()]);
});

const kafka = (broker: TestBroker) => new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });

/** Sends each value in a batch of its own, so that offsets and batches are the same wherever they are written. */
async function write(broker: TestBroker, topic: string, values: readonly string[]): Promise<void> {
  const producer = kafka(broker).producer();
  await producer.connect();
  for (const value of values)
    await producer.send({ topic, messages: [{ key: 'k', value, timestamp: '1700000000000' }] });
  await producer.disconnect();
}

async function make(topic: string, atStandby = true): Promise<void> {
  for (const admin of atStandby ? admins : admins.slice(0, 1)) {
    await admin.createTopic({ name: topic, partitions: 1, configs: {} });
  }
}

const side = (name: string, broker: TestBroker, admin: PlatformaticAdmin) => ({
  name,
  kafka: admin,
  brokers: { name, bootstrap: [broker.address] },
});
const sides = () => [side('mumbai', primary, admins[0]), side('singapore', standby, admins[1])] as const;

async function check(topic: string) {
  const options = { nowMs: Date.now(), signal: AbortSignal.timeout(30_000) };
  const [verdict] = await checkTopics(...sides(), [topic], options);
  return verdict;
}

const many = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `v${from + i}`);

test('two logs that agree as far as both go can be mirrored, also a topic that the standby lacks', async () => {
  await make('same');
  await write(primary, 'same', many(12));
  await write(standby, 'same', many(7));
  expect(await check('same')).toMatchObject({ verdict: 'mirrored', reasons: [] });
  await make('new', false);
  await write(primary, 'new', many(3));
  expect(await check('new')).toMatchObject({ verdict: 'mirrored', standbyTopicId: undefined });
});

test('the first foreign offset is found, inside what both have and behind the source`s end', async () => {
  await make('foreign');
  await write(primary, 'foreign', many(40));
  await write(standby, 'foreign', [...many(23), 'other', ...many(16, 24).map((v) => `${v}!`)]);
  expect(await check('foreign')).toMatchObject({
    verdict: 'refused',
    reasons: [{ code: 'ForeignRecords', message: expect.stringMatching(/foreign-0: from offset 23 on/) }],
  });
  await make('ahead');
  await write(primary, 'ahead', many(5));
  await write(standby, 'ahead', many(8));
  expect(await check('ahead')).toMatchObject({ reasons: [{ message: expect.stringMatching(/from offset 5 on/) }] });
});

test('a log that begins later is aligned where the standby is empty, and a range that is lost is told where it is not', async () => {
  await make('later');
  await write(primary, 'later', many(20));
  await deleteBefore(primary, { topic: 'later', partition: 0 }, 9n);
  expect(await check('later')).toMatchObject({ verdict: 'needs-alignment', reasons: [] });
  await write(standby, 'later', many(4));
  expect(await check('later')).toMatchObject({
    verdict: 'refused',
    reasons: [{ code: 'SourceTruncated', message: expect.stringMatching(/\[4, 9\)/) }],
  });
});

test('a right that is absent is named, with the topic and the region', async () => {
  await make('denied');
  const admin = kafka(standby).admin();
  await admin.connect();
  const may = (operation: AclOperationTypes) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourceName: 'denied',
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:ANONYMOUS',
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  });
  await admin.createAcls({ acl: [may(AclOperationTypes.READ)] });
  await admin.disconnect();
  await expect
    .poll(async () => (await check('denied'))?.reasons)
    .toEqual([
      {
        code: 'RightMissing',
        message: `the mirror's principal lacks WRITE, DESCRIBE_CONFIGS on topic "denied" in singapore`,
        alternative: 'grant WRITE, DESCRIBE_CONFIGS on topic "denied" in singapore',
      },
    ]);
});

test('fewer partitions and smaller batches are no refusal: the mirror mends both, and says so', async () => {
  await admins[0].createTopic({ name: 'wide', partitions: 3, configs: { 'max.message.bytes': '2000000' } });
  await admins[1].createTopic({ name: 'wide', partitions: 1, configs: { 'max.message.bytes': '1000' } });
  await write(primary, 'wide', many(9));
  expect(await check('wide')).toMatchObject({
    verdict: 'mirrored',
    reasons: [],
    notes: [
      'the mirror adds partitions to "wide" in singapore: 1 now, then 3',
      'the mirror sets max.message.bytes=2000000 on "wide" in singapore',
    ],
  });
  const { partitions, refused, warnings } = await prepareTopics(...sides(), ['wide']);
  expect({ partitions: partitions.length, refused: refused.map((r) => r.code), warnings }).toEqual({
    partitions: 1,
    refused: ['PartitionCountDiffers'],
    warnings: [],
  });
  expect((await admins[1].topicConfigs('wide')).get('max.message.bytes')).toBe('2000000');
});

test('the clocks of both clusters are compared with this machine`s', async () => {
  const signal = AbortSignal.timeout(30_000);
  const right = await checkClusters(...sides(), ['same'], { nowMs: Date.now, signal });
  expect(right.warnings).toEqual([]);
  expect(Math.abs(right.clocks.mumbai?.aheadMs ?? Number.NaN)).toBeLessThan(5_000);
  const late = await checkClusters(...sides(), ['same'], { nowMs: () => Date.now() - 90_000, signal });
  expect(late.warnings).toHaveLength(2);
  expect(late.warnings[0]).toMatch(/clock of mumbai's Kafka is (89|9[01])\.\d s ahead of this machine's/);
});

test('the command ends with 2 for a pattern that matches nothing and 3 for foreign records, and writes nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'argus-check-'));
  const argus = async (topics: object) => {
    const s3 = { accessKeyId: 'env:ID', secretAccessKey: 'env:ID' };
    const region = (at: string, n: number) => ({
      address: `127.0.0.${n}`,
      kafka: { bootstrap: [at] },
      objects: { endpoint: 'http://127.0.0.1:1', bucket: `bucket-${n}`, ...s3 },
      flink: { rest: 'http://127.0.0.1:1' },
    });
    const job = {
      name: 'counts',
      checkpoints: { prefix: 'checkpoints' },
      consumerGroup: 'counts',
      submit: { jar: 'counts.jar', entryClass: 'Counts', parallelism: 1, args: { mumbai: [], singapore: [] } },
    };
    const config = {
      regions: { mumbai: region(primary.address, 1), singapore: region(standby.address, 2) },
      roles: { primary: 'mumbai', standby: 'singapore' },
      topics,
      jobs: [job],
      dns: {
        cloudflare: { zone: 'argus.test', token: 'env:ID' },
        records: [{ name: 'ingest.argus.test' }],
        resolvers: ['127.0.0.1:1'],
      },
      state: 'file:./state',
    };
    const file = join(dir, 'argus.yaml');
    await writeFile(file, JSON.stringify(config));
    const args = ['cli/main.ts', '--config', file, 'mirror', 'check'];
    const ran = promisify(execFile)(process.execPath, args, { env: { ...process.env, ID: 'x', NO_COLOR: '1' } });
    return ran.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (e: { code: number; stdout: string; stderr: string }) => e,
    );
  };
  const standbyState = async () => {
    const topics = await admins[1].describeTopics();
    return [topics, await admins[1].logRanges([...topics.keys()].map((topic) => ({ topic, partition: 0 })))];
  };
  try {
    const before = await standbyState();
    const unknown = await argus({ include: ['absent-*'] });
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/no topic in mumbai matches "absent-\*"/);
    const foreign = await argus(['foreign']);
    expect(foreign).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/ForeignRecords: foreign-0: from offset 23 on/),
      stderr: '',
    });
    expect(foreign.stdout).toMatch(/not carried over by the mirror:[\s\S]*SCRAM secrets/);
    const missing = await argus(['nowhere']);
    expect(missing.stdout).toMatch(/TopicMissing: topic "nowhere" does not exist in mumbai/);
    const good = await argus(['same']);
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/same: can be mirrored\n/);
    expect(await standbyState()).toEqual(before);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
