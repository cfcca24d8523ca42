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
import { checkTopics } from '../../replication/topics/check-topics.ts';
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

async function check(topic: string) {
  const side = (name: string, broker: TestBroker, admin: PlatformaticAdmin) => ({
    name,
    kafka: admin,
    brokers: { name, bootstrap: [broker.address] },
  });
  const sides = [side('mumbai', primary, admins[0]), side('singapore', standby, admins[1])] as const;
  const [verdict] = await checkTopics(...sides, [topic], { nowMs: Date.now(), signal: AbortSignal.timeout(30_000) });
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
    .poll(async () => (await check('denied'))?.reasons, { timeout: 10_000 })
    .toEqual([
      {
        code: 'RightMissing',
        message: `the mirror's principal lacks WRITE, DESCRIBE_CONFIGS on topic "denied" in singapore`,
        alternative: 'grant WRITE, DESCRIBE_CONFIGS on topic "denied" in singapore',
      },
    ]);
});
