import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forkMirror } from '../../daemon/fork-mirror.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { partitionKey } from '../../domain/offsets.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { copyGroupOffsets } from '../../replication/groups/copy-group-offsets.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';

/** Sessions end after this; each connection has to renew its login several times in a test. */
const reauthMs = 4_000;
const topic = 'events';
const group = 'counts';
let mirrors = 0;

let primary: SecureBroker;
let standby: SecureBroker;

type Right = readonly [kind: 'topic' | 'group' | 'transactionalId', name: string, operation: keyof typeof operations];
const operations = {
  READ: AclOperationTypes.READ,
  WRITE: AclOperationTypes.WRITE,
  CREATE: AclOperationTypes.CREATE,
  DESCRIBE: AclOperationTypes.DESCRIBE,
  DESCRIBE_CONFIGS: AclOperationTypes.DESCRIBE_CONFIGS,
} as const;

/** The list of docs/mirror.md. */
const rights = {
  source: [
    ['topic', topic, 'READ'],
    ['topic', topic, 'DESCRIBE_CONFIGS'],
    ['group', group, 'DESCRIBE'],
  ],
  target: [
    ['topic', topic, 'READ'],
    ['topic', topic, 'WRITE'],
    ['topic', topic, 'CREATE'],
    ['topic', topic, 'DESCRIBE_CONFIGS'],
    ['transactionalId', 'argus-mirror-', 'WRITE'],
    ['transactionalId', '__argus-mirror-', 'WRITE'],
    ['group', group, 'READ'],
  ],
} as const satisfies Record<string, readonly Right[]>;

beforeAll(async () => {
  primary = await startSecureBroker({ users: ['mirror'], reauthMs });
  standby = await startSecureBroker({ users: ['mirror'], reauthMs });
  const admin = operator(primary).admin();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '5' }] });
  await admin.disconnect();
  await grant(primary, rights.source);
  await grant(standby, rights.target);
});
afterAll(() => Promise.all([primary, standby].map((b) => b?.broker.stop())));

/** Somebody who may do anything. */
function operator(at: SecureBroker): Kafka {
  return new Kafka({ brokers: [at.broker.address], logLevel: logLevel.NOTHING });
}

function acl([kind, resourceName, operation]: Right): AclEntry {
  const resourceType = {
    topic: AclResourceTypes.TOPIC,
    group: AclResourceTypes.GROUP,
    transactionalId: AclResourceTypes.TRANSACTIONAL_ID,
  }[kind];
  const resourcePatternType = kind === 'transactionalId' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL;
  const whose = { principal: 'User:mirror', host: '*', permissionType: AclPermissionTypes.ALLOW };
  return { ...whose, resourceType, resourceName, resourcePatternType, operation: operations[operation] };
}

async function grant(at: SecureBroker, list: readonly Right[]): Promise<void> {
  const admin = operator(at).admin();
  await admin.createAcls({ acl: list.map(acl) });
  await admin.disconnect();
}

async function revoke(at: SecureBroker, right: Right): Promise<void> {
  const admin = operator(at).admin();
  await admin.deleteAcls({ filters: [acl(right)] });
  await admin.disconnect();
}

function side(name: string, at: SecureBroker) {
  const endpoint = at.endpoint(name, 'mirror');
  return { name, endpoint, kafka: new PlatformaticAdmin({ ...endpoint, region: name }) };
}

/** Everything that replication does, until `enough`; gives what it complained about. */
async function replicate(enough: (mirror: Mirror, complaints: Set<string>) => boolean | Promise<boolean>) {
  const [source, target] = [side('mumbai', primary), side('singapore', standby)];
  const complaints = new Set<string>();
  const complain = (error: unknown) => complaints.add((error as Error).message);
  const stopping = new AbortController();
  try {
    const { partitions, refused } = await prepareTopics(source, target, [topic]);
    refused.forEach(complain);
    const producer = await target.kafka.initProducer(`argus-mirror-${++mirrors}`);
    const mirror = new Mirror({
      source: source.endpoint,
      target: target.endpoint,
      partitions,
      producer,
      clock: wallClock,
      onStatus: ({ topics, source: from, target: to }) => {
        for (const p of topics[topic]?.partitions ?? []) {
          if (p.stop) complaints.add(p.stop.detail);
          if (p.trouble) complaints.add(p.trouble);
        }
        for (const s of [from, to]) if (s.error !== undefined) complaints.add(s.error);
      },
    });
    const running = mirror.run(stopping.signal);
    while (!(await enough(mirror, complaints))) {
      const ends = new Map(partitions.map((p) => [partitionKey(p), 5n]));
      for (const copy of await copyGroupOffsets(source.kafka, target.kafka, [group], ends)) {
        if (copy.outcome === 'failed') complain(copy.error);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stopping.abort();
    await running;
  } catch (error) {
    complain(error);
  } finally {
    stopping.abort();
    await Promise.all([source.kafka.close(), target.kafka.close()]);
  }
  return complaints;
}

/** A transaction now and then, every other one aborted. */
async function transact(until: number): Promise<void> {
  const producer = operator(primary).producer({ transactionalId: 'job-1', idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let n = 0; Date.now() < until; n++) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ partition: 1, value: `in transaction ${n}` }] });
    await (n % 2 === 0 ? transaction.commit() : transaction.abort());
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await producer.disconnect();
}

test('mirrors and copies groups with the documented rights alone, while every login is renewed under load', async () => {
  const producer = operator(primary).producer();
  await producer.connect();
  let sent = 0;
  const until = Date.now() + reauthMs * 4;
  const load = (async () => {
    while (Date.now() < until) {
      const messages = Array.from({ length: 50 }, () => ({ partition: sent % 3, value: `${sent++}` }));
      await producer.send({ topic, messages });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const transactions = transact(until);
  let over = false;
  const all = Promise.all([load, transactions]).then(() => (over = true));
  const complaints = await replicate((mirror) => over && mirror.status().topics[topic]?.lagRecords === 0);
  await all;
  await producer.disconnect();
  // Not one connection was lost: a session that failed would have been told.
  expect([...complaints]).toEqual([]);
  expect(sent).toBeGreaterThan(1_000);
  const [origin, admin] = [operator(primary).admin(), operator(standby).admin()];
  expect(await admin.fetchTopicOffsets(topic)).toEqual(await origin.fetchTopicOffsets(topic));
  await origin.disconnect();
  expect(await admin.fetchOffsets({ groupId: group, topics: [topic] })).toMatchObject([
    { partitions: expect.arrayContaining([expect.objectContaining({ partition: 0, offset: '5' })]) },
  ]);
  await admin.disconnect();
});

test('gives the mirror`s process its secrets, and nobody else', async () => {
  const [source, target] = [side('mumbai', primary), side('singapore', standby)];
  const { partitions } = await prepareTopics(source, target, [topic]);
  const transactionalId = `argus-mirror-${++mirrors}`;
  const producer = { transactionalId, ...(await target.kafka.initProducer(transactionalId)) };
  let seen: MirrorStatus | undefined;
  const mirror = forkMirror(
    { source: source.endpoint, target: target.endpoint, partitions, producer },
    { clock: wallClock, onStatus: (status) => (seen = status), mayWriteForMs: () => 10_000 },
  );
  try {
    await expect.poll(() => seen?.topics[topic]?.lagRecords).toBe(0);
    expect(seen?.phase).toBe('mirroring');
    expect(JSON.stringify(seen, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).not.toContain('mirror-password');
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '--ppid', `${process.pid}`]);
    expect(stdout.split('\n').filter((line) => line.includes('mirror-process'))).not.toEqual([]);
    expect(stdout).not.toContain('mirror-password');
  } finally {
    await mirror.stop();
    await Promise.all([source.kafka.close(), target.kafka.close()]);
  }
});

test.each<[keyof typeof rights, Right, RegExp]>([
  ['source', rights.source[0], /^mumbai.* needs DESCRIBE \(READ or WRITE imply it\) on topic events$/],
  ['source', rights.source[1], /^mumbai.* needs DESCRIBE_CONFIGS on topic events$/],
  ['source', rights.source[2], /^mumbai.* needs DESCRIBE \(READ implies it\) on group counts$/],
  ['target', rights.target[0], /^singapore.* needs READ on topic events$/],
  ['target', rights.target[1], /needs WRITE on topic events$/],
  ['target', rights.target[3], /^singapore.* needs DESCRIBE_CONFIGS on topic events$/],
  ['target', rights.target[4], /^singapore.* needs WRITE on transactional id argus-mirror-\d+$/],
  ['target', rights.target[5], /needs WRITE on transactional id __argus-mirror-/],
  ['target', rights.target[6], /^singapore.* needs DESCRIBE \(READ implies it\) on group counts$/],
  ['target', rights.target[2], /^singapore.* needs CREATE on topic events$/],
])('names the right that is missing: %s %j', async (where, right, complaint) => {
  const at = where === 'source' ? primary : standby;
  const admin = operator(standby).admin();
  // A right to make it is only asked for where it is absent, and what it is for only where it is there.
  if (right[2] === 'CREATE') await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  const feed = operator(primary).producer();
  await feed.connect();
  await feed.send({ topic, messages: [{ partition: 0, value: 'x' }] });
  if (right[1] === '__argus-mirror-') await transact(Date.now() + 100);
  await feed.disconnect();
  await revoke(at, right);
  try {
    const deadline = Date.now() + 60_000;
    const complaints = await replicate(
      (_mirror, seen) => Date.now() > deadline || [...seen].some((c) => complaint.test(c)),
    );
    expect([...complaints]).toContainEqual(expect.stringMatching(complaint));
  } finally {
    await grant(at, [right]);
  }
});
