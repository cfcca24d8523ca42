import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import type { FencedPrincipal, FenceSettings } from '../../regions/kafka/kafka-fence.ts';
import { openKafkaFence } from '../../regions/kafka/open-kafka-fence.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { decideFence } from '../../runbooks/fencing/decide-fence.ts';
import {
  allowKafkaWrites,
  denyKafkaWrites,
  everybody,
  fenceWatch,
  lookAtFence,
  rulesLeft,
} from '../../runbooks/fencing/kafka-fencing.ts';
import { readKafkaFence } from '../../state/kafka-fence.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';

const topic = 'events';
const partitions = [0, 1, 2].map((partition) => ({ topic, partition }));
const by = () => ({ by: 'test', atMs: wallClock.now() });
const io = () => ({ signal: AbortSignal.timeout(20_000), check: () => undefined });

let secure: SecureBroker;
let argus: PlatformaticAdmin;

const settings = (over: Partial<FenceSettings> = {}): FenceSettings => ({
  by: 'acl',
  required: false,
  topics: [],
  superUsers: [],
  spared: ['User:argus'],
  stillMs: 300,
  principals: [
    { principal: 'User:ingest', kind: 'producer', triable: true },
    { principal: 'User:counts', kind: 'job', triable: true },
  ],
  ...over,
});

function target(over: Partial<FenceSettings> = {}) {
  const chosen = settings(over);
  const logins = chosen.principals.map(({ principal }: FencedPrincipal) => {
    const username = principal.slice('User:'.length);
    return [principal, { mechanism: 'SCRAM-SHA-512', username, password: `${username}-password` }] as const;
  });
  const endpoint = secure.endpoint('mumbai', 'argus');
  const fence = openKafkaFence({ endpoint, settings: chosen, logins: new Map(logins) });
  return { region: { name: 'mumbai', kafka: argus, fence }, topics: [topic, 'not-there'], fence };
}

const rule = (
  principal: string,
  resourceType: Acl['resourceType'],
  resourceName: string,
  operation: Acl['operation'],
) =>
  ({
    resourceType,
    resourceName,
    patternType: 'literal',
    principal,
    host: '*',
    operation,
    permission: 'ALLOW',
  }) as const;

beforeAll(async () => {
  secure = await startSecureBroker({ users: ['argus', 'ingest', 'counts', 'other'] });
  argus = new PlatformaticAdmin({ ...secure.endpoint('mumbai', 'argus'), region: 'mumbai' });
  const operator = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [secure.broker.address] });
  await operator.createTopic({ name: topic, partitions: 3, configs: {} });
  await operator.createAcls([
    rule('User:ingest', 'topic', topic, 'WRITE'),
    rule('User:counts', 'topic', topic, 'WRITE'),
    rule('User:counts', 'transactionalId', 'counts-1', 'WRITE'),
    // All that a fence needs.
    rule('User:argus', 'topic', '*', 'DESCRIBE'),
    rule('User:argus', 'cluster', 'kafka-cluster', 'ALTER'),
  ]);
  await operator.close();
});
afterAll(async () => {
  await argus?.close();
  await secure?.broker.stop();
});

const client = (user: string, retries = 0) =>
  new Kafka({
    brokers: [secure.secureAddress],
    ssl: { ca: [secure.ca.cert] },
    sasl: { mechanism: 'scram-sha-512', username: user, password: `${user}-password` },
    logLevel: logLevel.NOTHING,
    retry: { retries, initialRetryTime: 100 },
  });

const ends = async () => (await argus.logRanges(partitions)).map((r) => r.logEndOffset);

test('a connection that stands and writes is shut out, which is proven, and let in again exactly', async () => {
  const state = memoryObjectStore('state');
  const { region, topics, fence } = target();
  const fenced = { region, topics, state };
  const before = await argus.listAcls({});
  const producer = client('ingest').producer({ retry: { retries: 0 } });
  await producer.connect();
  const answers: { readonly ok: boolean; readonly atMs: number }[] = [];
  let writing = true;
  const feed = (async () => {
    for (let i = 0; writing; i++) {
      const sent = producer.send({ topic, messages: [{ partition: i % 3, value: `${i}` }] });
      const ok = await sent.then(
        () => true,
        () => false,
      );
      answers.push({ ok, atMs: performance.now() });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const pending = client('counts', 8).producer({ transactionalId: 'counts-1', maxInFlightRequests: 1 });
  await pending.connect();
  const transaction = await pending.transaction();
  await transaction.send({ topic, messages: [{ partition: 0, value: 'pending' }] });
  try {
    await expect.poll(() => answers.filter((a) => a.ok).length).toBeGreaterThan(10);
    expect(decideFence(await lookAtFence(fenced, fence, everybody, io().signal))).toMatchObject({ kind: 'open' });

    expect(await denyKafkaWrites(fenced, everybody, by(), io())).toEqual({ kind: 'made', created: 6 });
    expect(await denyKafkaWrites(fenced, everybody, by(), io())).toEqual({ kind: 'made', created: 0 });
    const look = fenceWatch(fenced, everybody);
    const seen = () => look(fence, performance.now(), io().signal);
    await expect.poll(seen, { interval: 100 }).toMatchObject({
      kind: 'proven',
      brokers: [1],
      principals: ['User:ingest', 'User:counts'],
    });
    const provenAt = performance.now();
    const proven = await ends();
    // Without a new connection: the rules are asked for each request.
    await expect.poll(() => answers.filter((a) => a.atMs > provenAt).length).toBeGreaterThan(10);
    expect(answers.filter((a) => a.ok && a.atMs > provenAt)).toEqual([]);
    expect(await ends()).toEqual(proven);
    // What was pre-committed is not committed behind the fence.
    await expect(transaction.commit()).rejects.toThrow();
    expect(await ends()).toEqual(proven);

    const lifted = await allowKafkaWrites(fenced, everybody, by(), io());
    expect(lifted).toHaveLength(6);
    await expect.poll(() => rulesLeft(fenced, lifted, io().signal)).toEqual([]);
    expect(await allowKafkaWrites(fenced, everybody, by(), io())).toEqual([]);
    expect(new Set(await argus.listAcls({}))).toEqual(new Set(before));
    const liftedAt = performance.now();
    await expect.poll(() => answers.some((a) => a.ok && a.atMs > liftedAt)).toBe(true);
  } finally {
    writing = false;
    await feed;
    await Promise.allSettled([producer.disconnect(), pending.disconnect()]);
  }
});

test('a rule of somebody else is neither made twice nor lifted, and other writers are told', async () => {
  const state = memoryObjectStore('state');
  const { region, topics, fence } = target({ superUsers: ['User:root'] });
  const fenced = { region, topics: [topic], state };
  const foreign = { ...rule('User:ingest', 'topic', topic, 'WRITE'), permission: 'DENY' } as const;
  await argus.createAcls([foreign, rule('User:other', 'topic', topic, 'WRITE')]);
  try {
    await expect.poll(async () => (await argus.listAcls({ permission: 'DENY' }))?.length).toBe(1);
    await denyKafkaWrites(fenced, ['producer'], by(), io());
    await expect
      .poll(async () => decideFence(await lookAtFence(fenced, fence, ['producer'], io().signal)))
      .toEqual({
        kind: 'partial',
        why: ['User:other may write by the rules, and is not fenced', 'User:root is a super user: no rule binds it'],
      });
    expect((await readKafkaFence(state, 'mumbai'))?.rules.map((r) => r.resourceType)).toEqual(['transactionalId']);
    await allowKafkaWrites(fenced, everybody, by(), io());
    await expect.poll(() => argus.listAcls({ permission: 'DENY' })).toEqual([foreign]);
  } finally {
    await argus.deleteAcls([foreign, rule('User:other', 'topic', topic, 'WRITE')]);
  }
  expect(topics).toContain('not-there');
});

test('a principal without a login, or with a wrong one, leaves the proof partial', async () => {
  const state = memoryObjectStore('state');
  const { region, fence } = target({
    principals: [
      { principal: 'User:ingest', kind: 'producer', triable: false },
      { principal: 'User:nobody', kind: 'job', triable: true },
    ],
  });
  const fenced = { region, topics: [topic], state };
  await denyKafkaWrites(fenced, everybody, by(), io());
  const look = async () => decideFence(await lookAtFence(fenced, fence, everybody, io().signal));
  await expect.poll(look).toMatchObject({
    kind: 'partial',
    why: [
      'User:ingest was not tried: no login of it is configured',
      expect.stringContaining('User:nobody was not tried: '),
      'User:counts may write by the rules, and is not fenced',
    ],
  });
  await allowKafkaWrites(fenced, everybody, by(), io());
});

test('brokers without an authorizer, and a region without a fence, are told', async () => {
  const state = memoryObjectStore('state');
  const { region } = target();
  const open = { ...region, kafka: { ...argus, listAcls: async () => undefined } as unknown as PlatformaticAdmin };
  expect(await denyKafkaWrites({ region: open, topics: [topic], state }, everybody, by(), io())).toEqual({
    kind: 'none',
    because: "mumbai's brokers have no authorizer",
  });
  const { fence: _, ...without } = region;
  expect(await denyKafkaWrites({ region: without, topics: [topic], state }, everybody, by(), io())).toEqual({
    kind: 'none',
    because: 'regions.mumbai.kafka.fence is not set',
  });
});
