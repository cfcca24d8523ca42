import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fenceReturned } from '../../daemon/fence-returned.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Roles } from '../../domain/roles.ts';
import type { FenceSettings } from '../../regions/kafka/kafka-fence.ts';
import { openKafkaFence } from '../../regions/kafka/open-kafka-fence.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { listRuns, readRun } from '../../state/journal.ts';
import { acquireLease } from '../../state/lease.ts';
import { writeRoles } from '../../state/roles.ts';
import { foldRun } from '../../state/run-record.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

const topic = 'events';
const partitions = [0, 1].map((partition) => ({ topic, partition }));
const state = memoryObjectStore('state');

let secure: SecureBroker;
let argus: PlatformaticAdmin;

beforeAll(async () => {
  secure = await startSecureBroker({ users: ['argus', 'ingest'] });
  const operator = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [secure.broker.address] });
  const rule = { patternType: 'literal', host: '*', permission: 'ALLOW' } as const;
  await operator.createTopic({ name: topic, partitions: 2, configs: {} });
  await operator.createAcls([
    { ...rule, resourceType: 'topic', resourceName: topic, principal: 'User:ingest', operation: 'WRITE' },
    { ...rule, resourceType: 'topic', resourceName: topic, principal: 'User:argus', operation: 'DESCRIBE' },
    { ...rule, resourceType: 'cluster', resourceName: 'kafka-cluster', principal: 'User:argus', operation: 'ALTER' },
  ]);
  await operator.close();
  argus = new PlatformaticAdmin({ ...secure.endpoint('mumbai', 'argus'), region: 'mumbai' });
});
afterAll(async () => {
  await argus?.close();
  await secure?.broker.stop();
});

/** A service that takes in data: it writes whenever it can, again and again, over connections that it keeps. */
function ingest() {
  const kafka = new Kafka({
    brokers: [secure.secureAddress],
    ssl: { ca: [secure.ca.cert] },
    sasl: { mechanism: 'scram-sha-512', username: 'ingest', password: 'ingest-password' },
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { retries: 0 },
  });
  const acknowledged: { readonly partition: number; readonly offset: bigint; readonly atMs: number }[] = [];
  let refused = 0;
  let going = true;
  const done = (async () => {
    for (let i = 0; going; ) {
      const producer = kafka.producer({ retry: { retries: 0 } });
      try {
        await producer.connect();
        for (; going; i++) {
          const [answer] = await producer.send({ topic, messages: [{ partition: i % 2, value: `${i}` }] });
          acknowledged.push({ partition: i % 2, offset: BigInt(answer?.baseOffset ?? -1), atMs: Date.now() });
        }
      } catch {
        refused++;
      }
      await producer.disconnect().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    acknowledged,
    refused: () => refused,
    async stop() {
      going = false;
      await done;
    },
  };
}

const ends = async () => (await argus.logRanges(partitions)).map((r) => r.logEndOffset);

test('an old primary that comes back with its producer still writing is fenced, and each record that got in is counted', async () => {
  const service = ingest();
  await expect.poll(() => service.acknowledged.length).toBeGreaterThan(20);
  await secure.broker.kill();
  const before = service.acknowledged.length;
  const acknowledgedEnd = (partition: number) =>
    service.acknowledged
      .slice(0, before)
      .reduce((end, a) => (a.partition === partition && a.offset >= end ? a.offset + 1n : end), 0n);
  // The mirror had all but three of them.
  const promotedAt = partitions.map((p) => ({ ...p, offset: `${acknowledgedEnd(p.partition) - 3n}` }));
  const common = { replication: 'active', atMs: 1, by: 'me' } as const;
  await writeRoles(state, { ...common, epoch: 1, primary: 'mumbai', standby: 'singapore' });
  const roles: Roles = {
    ...common,
    epoch: 2,
    primary: 'singapore',
    standby: 'mumbai',
    replication: 'suspended',
    run: 'the-failover',
    promotedAt,
  };
  await writeRoles(state, roles);

  const settings: FenceSettings = {
    by: 'acl',
    required: false,
    topics: [],
    superUsers: [],
    spared: ['User:argus'],
    stillMs: 500,
    principals: [{ principal: 'User:ingest', kind: 'producer', triable: true }],
  };
  const logins = new Map([
    ['User:ingest', { mechanism: 'SCRAM-SHA-512', username: 'ingest', password: 'ingest-password' } as const],
  ]);
  const fence = openKafkaFence({ endpoint: secure.endpoint('mumbai', 'argus'), settings, logins });
  const flink = { list: async () => [] };
  const region = { name: 'mumbai', kafka: argus, fence, flink } as unknown as Region;
  const request = { key: 'lease-daemon', holder: 'me', purpose: 'daemon', ttlMs: 600_000, waitMs: 0 };
  const answer = await acquireLease(state, request, wallClock);
  if (answer.kind !== 'acquired') throw new Error('nobody else was there');
  const stop = new AbortController();
  const log = quietLog();
  const config = { topics: [topic], jobs: [] } as never;
  const regions = new Map([['mumbai', region]]);
  const watching = fenceReturned(
    {
      config,
      regions,
      state,
      clock: wallClock,
      log,
      holder: 'me',
      roles: () => roles,
      lease: answer.lease,
      periodMs: 200,
    },
    stop.signal,
  );
  try {
    await secure.broker.start();
    const evidence = await expect
      .poll(
        async () => {
          const [run] = await listRuns(state);
          const record = run === undefined ? undefined : foldRun(await readRun(state, run));
          return record?.steps.find((s) => s.id === 'deny-writers' && s.status === 'done');
        },
        { timeout: 40_000 },
      )
      .toBeDefined()
      .then(async () => {
        const [run] = await listRuns(state);
        const step = foldRun(await readRun(state, run!))!.steps.find((s) => s.id === 'deny-writers')!;
        return (step as { evidence: unknown }).evidence as {
          kind: string;
          ends: { offset: string }[];
          beyondPromotion: { offset: string; promotedAt: string }[];
        };
      });
    expect(evidence.kind).toBe('proven');
    const fencedAt = Date.now();
    const refusedThen = service.refused();
    await expect.poll(() => service.refused()).toBeGreaterThan(refusedThen + 5);
    expect(service.acknowledged.filter((a) => a.atMs > fencedAt)).toEqual([]);
    expect((await ends()).map(String)).toEqual(evidence.ends.map((e) => e.offset));

    const counted = evidence.beyondPromotion.reduce((sum, b) => sum + BigInt(b.offset) - BigInt(b.promotedAt), 0n);
    const late = BigInt(service.acknowledged.length - before);
    // The three of each partition, and what got in between the return and the fence.
    expect(counted).toBeGreaterThanOrEqual(6n + late);
    expect(counted).toBe((await ends()).reduce((sum, end, i) => sum + end - BigInt(promotedAt[i]!.offset), 0n));
  } finally {
    stop.abort();
    await watching;
    await service.stop();
    await answer.lease.release();
  }
});
