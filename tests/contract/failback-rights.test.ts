import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../cli/config/parse.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Roles } from '../../domain/roles.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { heartbeatConfigs } from '../../replication/topics/heartbeat.ts';
import { joinOrphans } from '../../runbooks/failback/join-orphans.ts';
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
  ],
  active: [
    ['topic', topic, ['READ', 'DESCRIBE_CONFIGS']],
    ['topic', 'argus.orphans.', ['READ', 'WRITE', 'CREATE']],
    ['transactionalId', 'argus-orphans-', ['WRITE']],
  ],
} as const;

beforeAll(async () => {
  [old, active] = await Promise.all([startSecureBroker({ users: ['argus'] }), startSecureBroker({ users: ['argus'] })]);
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

/** A region as Argus' own login sees it. */
function region(name: string, broker: SecureBroker): Region {
  const brokers = broker.endpoint(name, 'argus');
  const kafka = new PlatformaticAdmin({ ...brokers, region: name });
  admins.push(kafka);
  return { name, address: '127.0.0.1', kafka, brokers, objects: memoryObjectStore(name), flink: {} as FlinkJobs };
}

test('with the rights that the docs name, orphans are kept and the topic is begun anew', async () => {
  const signal = AbortSignal.timeout(50_000);
  await Promise.all([write(old, 'shared', ['a', 'b', 'c']), write(active, 'shared', ['a', 'b', 'c'])]);
  await Promise.all([write(old, 'late', ['x', 'y']), write(active, 'new', ['p'])]);
  await write(old, 'mumbai', ['beat'], 'argus.heartbeat');
  const roles: Roles = {
    epoch: 2,
    primary: 'singapore',
    standby: 'mumbai',
    replication: 'suspended',
    atMs: 1,
    by: 'me',
    promotedAt: [{ topic, partition: 0, offset: '3' }],
  };
  const logs = joinOrphans({
    config: { ...parseConfig(sampleYaml, 'argus.yaml'), topics: [topic] },
    active: region('singapore', active),
    old: region('mumbai', old),
    state: memoryObjectStore('state'),
    clock: wallClock,
    roles,
    keepIn: 'topic',
    stillMs: 100,
  });
  const found = await logs.findDivergence(signal);
  expect(found).toMatchObject([{ kind: 'orphans', orphans: { from: 3n, to: 5n } }]);
  await logs.rescue(
    found,
    () => undefined,
    () => undefined,
    signal,
  );
  const verdict = await logs.checkRescue(found, signal);
  if (verdict.kind !== 'verified') throw new Error(verdict.what);
  expect(verdict.partitions).toMatchObject([{ orphans: 2n }]);
  const left = await logs.lookForDiverged(found, signal);
  expect(left).toEqual([topic, 'argus.heartbeat']);
  for (const each of left) await logs.beginAnew(each, verdict.partitions, () => undefined, signal);
  expect(await logs.lookForDiverged(found, signal)).toEqual([]);
});
