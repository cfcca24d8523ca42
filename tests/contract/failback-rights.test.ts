import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../cli/config/parse.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Roles } from '../../domain/roles.ts';
import { readTopic } from '../../lab/auditor/read-topic.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import type { FenceSettings } from '../../regions/kafka/kafka-fence.ts';
import { openKafkaFence } from '../../regions/kafka/open-kafka-fence.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { heartbeatConfigs } from '../../replication/topics/heartbeat.ts';
import { joinOrphans } from '../../runbooks/failback/join-orphans.ts';
import { prepareFailback, runFailback } from '../../runbooks/failback/run-failback.ts';
import { writeRoles } from '../../state/roles.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const topic = 'events';
let old: SecureBroker;
let active: SecureBroker;
const admins: PlatformaticAdmin[] = [];

/** The list of docs/runbooks.md, "What Argus may do". */
const rights = {
  old: [
    ['topic', topic, ['READ', 'CREATE', 'DELETE', 'DESCRIBE_CONFIGS']],
    ['topic', 'argus.heartbeat', ['READ', 'CREATE', 'DELETE', 'DESCRIBE_CONFIGS']],
    // For the fence.
    ['cluster', 'kafka-cluster', ['ALTER', 'DESCRIBE']],
  ],
  active: [
    ['topic', topic, ['READ', 'DESCRIBE_CONFIGS']],
    ['topic', 'argus.orphans.', ['READ', 'WRITE', 'CREATE']],
    ['transactionalId', 'argus-orphans-', ['WRITE']],
  ],
} as const;

beforeAll(async () => {
  const users = ['argus', 'ingest'];
  [old, active] = await Promise.all([startSecureBroker({ users }), startSecureBroker({ users })]);
  for (const [broker, list] of [
    [old, rights.old],
    [active, rights.active],
  ] as const) {
    const admin = operator(broker);
    await admin.createTopic({ name: topic, partitions: 1, configs: {} });
    await admin.createAcls(
      list.flatMap(([resourceType, resourceName, operations]) =>
        operations.map(
          (operation): Acl => ({
            resourceType,
            resourceName,
            patternType: /[.-]$/.test(resourceName) ? 'prefixed' : 'literal',
            principal: 'User:argus',
            host: '*',
            operation,
            permission: 'ALLOW',
          }),
        ),
      ),
    );
  }
  const ingest = {
    resourceType: 'topic',
    resourceName: topic,
    patternType: 'literal',
    principal: 'User:ingest',
  } as const;
  await operator(old).createAcls([{ ...ingest, host: '*', operation: 'WRITE', permission: 'ALLOW' }]);
  await operator(old).createTopic({ name: 'argus.heartbeat', partitions: 1, configs: heartbeatConfigs });
});
afterAll(async () => {
  await Promise.all(admins.map((a) => a.close()));
  await Promise.all([old, active].map((b) => b?.broker.stop()));
});

/** Somebody who may do anything. */
function operator({ broker }: SecureBroker): PlatformaticAdmin {
  const admin = new PlatformaticAdmin({ region: 'operator', bootstrap: [broker.address] });
  admins.push(admin);
  return admin;
}

async function write({ broker }: SecureBroker, name: string, values: readonly string[], to = topic): Promise<void> {
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const messages = values.map((value) => ({ key: name, value, partition: 0, timestamp: '1700000000000' }));
  await producer.send({ topic: to, messages });
  await producer.disconnect();
}

/** A region as Argus' own login sees it; the old primary's producers can be fenced. */
function region(name: string, broker: SecureBroker): Region {
  const brokers = broker.endpoint(name, 'argus');
  const kafka = new PlatformaticAdmin({ ...brokers, region: name });
  admins.push(kafka);
  const settings: FenceSettings = {
    by: 'acl',
    required: false,
    topics: [],
    superUsers: [],
    spared: ['User:argus'],
    stillMs: 500,
    principals: [{ principal: 'User:ingest', kind: 'producer', triable: true }],
  };
  const login = { mechanism: 'SCRAM-SHA-512', username: 'ingest', password: 'ingest-password' } as const;
  const fence = openKafkaFence({ endpoint: brokers, settings, logins: new Map([['User:ingest', login]]) });
  const flink = { list: async () => [] } as unknown as FlinkJobs;
  return { name, address: '127.0.0.1', kafka, brokers, fence, objects: memoryObjectStore(name), flink };
}

/** Whether the old primary takes a record of its ingest. */
async function ingestGetsIn(): Promise<boolean> {
  const sasl = { mechanism: 'scram-sha-512', username: 'ingest', password: 'ingest-password' } as const;
  const ssl = { ca: [old.ca.cert] };
  const kafka = new Kafka({ brokers: [old.secureAddress], ssl, sasl, logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ retry: { retries: 0 } });
  await producer.connect();
  try {
    await producer.send({ topic, messages: [{ key: 'ingest', value: 'in', partition: 0 }] });
    return true;
  } catch {
    return false;
  } finally {
    await producer.disconnect();
  }
}

test('with the rights that the docs name the old primary is fenced, its orphans are kept, and the roles turn', async () => {
  await Promise.all([write(old, 'shared', ['a', 'b', 'c']), write(active, 'shared', ['a', 'b', 'c'])]);
  await Promise.all([write(old, 'late', ['x', 'y']), write(active, 'new', ['p'])]);
  await write(old, 'mumbai', ['beat'], 'argus.heartbeat');
  expect(await ingestGetsIn()).toBe(true);
  const roles: Roles = {
    epoch: 2,
    primary: 'singapore',
    standby: 'mumbai',
    replication: 'suspended',
    atMs: 1,
    by: 'me',
    promotedAt: [{ topic, partition: 0, offset: '3' }],
  };
  const state = memoryObjectStore('state');
  await writeRoles(state, roles);
  const config = { ...parseConfig(sampleYaml, 'argus.yaml'), topics: [topic] };
  const [primary, standby] = [region('singapore', active), region('mumbai', old)];
  const common = { config, state, clock: wallClock, roles, keepIn: 'topic' } as const;
  const context = {
    ...common,
    primary,
    standby,
    run: '20261121T103000Z-failback-0001',
    by: 'me@here',
    acceptUnfenced: false,
    ...joinOrphans({ ...common, active: primary, old: standby, stillMs: 100 }),
  };
  const plan = await prepareFailback(context, AbortSignal.timeout(20_000));
  expect(plan).toMatchObject({ blockers: [], beginAnew: [topic] });
  const report = await runFailback({ context, plan, holder: 'me' });
  expect(report, JSON.stringify(report.error)).toMatchObject({
    outcome: 'done',
    kafkaFenced: 'proven',
    orphans: 3,
    begunAnew: [topic, 'argus.heartbeat'],
    rolesEpoch: 3,
  });
  expect(await ingestGetsIn(), 'it stays fenced').toBe(false);
  const ranges = await operator(old).logRanges([{ topic, partition: 0 }]);
  expect(ranges.map((r) => r.logEndOffset)).toEqual([0n]);
  const kept: string[] = [];
  const bootstrap = active.broker.address;
  await readTopic({ bootstrap, topic: `argus.orphans.${topic}` }, ({ value }) => void kept.push(value));
  expect(kept).toEqual(['x', 'y', 'in']);
});
