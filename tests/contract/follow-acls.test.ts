import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followAcls } from '../../daemon/follow-acls.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { describeAcl } from '../../replication/acls/plan-acls.ts';
import { releaseWithheldAcls, unreleasedAcls } from '../../replication/acls/release-withheld.ts';
import { readFollowedAcls } from '../../state/followed-acls.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

let secure: SecureBroker[];
let open: TestBroker;
const admins: PlatformaticAdmin[] = [];
const names = ['mumbai', 'singapore'] as const;

beforeAll(async () => {
  const users = { users: ['argus', 'shop'] };
  [secure, open] = await Promise.all([
    Promise.all([startSecureBroker(users), startSecureBroker(users)]),
    startTestBroker(),
  ]);
  await operator(0).createAcls([rule({ ...cluster, operation: 'DESCRIBE' })]);
  await operator(1).createAcls([rule({ ...cluster, operation: 'ALTER' })]);
  await operator(1).createTopic({ name: 'events', partitions: 1, configs: {} });
});
afterAll(async () => {
  await Promise.all(admins.map((a) => a.close()));
  await Promise.all([...(secure ?? []).map((s) => s.broker), open].map((b) => b?.stop()));
});

function admin(address: string): PlatformaticAdmin {
  const made = new PlatformaticAdmin({ region: 'any', bootstrap: [address] });
  admins.push(made);
  return made;
}

const at = (side: 0 | 1) => secure[side] as SecureBroker;
/** Somebody who may do anything. */
const operator = (side: 0 | 1) => admin(at(side).broker.address);

function region(side: 0 | 1, user = 'argus'): Region {
  const kafka = new PlatformaticAdmin({ ...at(side).endpoint(names[side], user), region: names[side] });
  admins.push(kafka);
  return { name: names[side], kafka } as unknown as Region;
}

const cluster = { resourceType: 'cluster', resourceName: 'kafka-cluster', principal: 'User:argus' } as const;
const rule = (over: Partial<Acl> = {}): Acl => ({
  resourceType: 'topic',
  resourceName: 'events',
  patternType: 'literal',
  principal: 'User:shop',
  host: '*',
  operation: 'READ',
  permission: 'ALLOW',
  ...over,
});
const shown = async (side: 0 | 1) => (await operator(side).listAcls())?.map(describeAcl).sort();

async function following(
  source: Region,
  target: Region,
  use: (log: ReturnType<typeof quietLog>) => Promise<void>,
  state = memoryObjectStore('state'),
) {
  const log = quietLog();
  const stopping = new AbortController();
  const options = {
    source,
    target,
    rolesEpoch: 1,
    topics: () => ['events'],
    groups: ['counts'],
    state,
    clock: wallClock,
    log,
  };
  const running = followAcls({ ...options, periodMs: 200 }, stopping.signal);
  try {
    await use(log);
  } finally {
    stopping.abort();
    await running;
  }
}

/** Whether the user `shop` may write to the standby's topic. */
async function mayWrite(): Promise<boolean> {
  const { ca, secureAddress } = at(1);
  const sasl = { mechanism: 'scram-sha-512', username: 'shop', password: 'shop-password' } as const;
  const kafka = new Kafka({
    brokers: [secureAddress],
    ssl: { ca: [ca.cert] },
    sasl,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const producer = kafka.producer();
  try {
    await producer.connect();
    await producer.send({ topic: 'events', messages: [{ value: 'x' }] });
    return true;
  } catch {
    return false;
  } finally {
    await producer.disconnect();
  }
}

test('carries the primary`s rules over and back, withholds writing until the promotion, leaves others` rules alone', async () => {
  const state = memoryObjectStore('state');
  const theirs = rule({ principal: 'User:somebody', operation: 'DESCRIBE' });
  await operator(1).createAcls([theirs]);
  const write = rule({ operation: 'WRITE' });
  const reads = [rule(), rule({ resourceType: 'group', resourceName: 'counts' })];
  await operator(0).createAcls([...reads, write, rule({ resourceName: 'bills' })]);
  const before = ['ALLOW User:argus ALTER on cluster kafka-cluster', describeAcl(theirs)];
  const use = async () => {
    await expect.poll(() => shown(1)).toEqual([...before, ...reads.map(describeAcl)].sort());
    expect(await mayWrite()).toBe(false);
    await operator(0).deleteAcls([rule()]);
    await expect.poll(() => shown(1)).toEqual([...before, ...reads.slice(1).map(describeAcl)].sort());
    // Noted after the rule is gone; until then it is known as one of Argus' still.
    await expect.poll(() => readFollowedAcls(state, 1)).toEqual({ made: reads.slice(1), withheld: [write] });
  };
  await following(region(0), region(1), use, state);

  const noted = await readFollowedAcls(state, 1);
  const { kafka } = region(1);
  expect(await unreleasedAcls(kafka, noted?.withheld ?? [])).toEqual([write]);
  await releaseWithheldAcls(kafka, noted?.withheld ?? []);
  await releaseWithheldAcls(kafka, noted?.withheld ?? []);
  await expect.poll(() => unreleasedAcls(kafka, noted?.withheld ?? [])).toEqual([]);
  await expect.poll(() => mayWrite()).toBe(true);
});

test('says once that a side has no authorizer, or which right is absent there', async () => {
  const plain = { name: 'singapore', kafka: admin(open.address) } as unknown as Region;
  const seen = (log: ReturnType<typeof quietLog>) => log.lines.map((l) => `${l.level}: ${l.message}`);
  await following(region(0), plain, async (log) => {
    await expect.poll(() => seen(log)).toEqual(['info: singapore has no authorizer: no ACLs are carried over']);
    await wallClock.sleep(600);
    expect(log.lines).toHaveLength(1);
  });
  await following(region(0, 'shop'), region(1), async (log) => {
    const denied = /^warn: ACLs can't be carried over: mumbai: .* needs DESCRIBE \(ALTER implies it\) on the cluster/;
    await expect.poll(() => seen(log)).toEqual([expect.stringMatching(denied)]);
  });
});
