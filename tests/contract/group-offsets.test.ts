import { Consumer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GroupCommit } from '../../regions/kafka/kafka-admin.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { markerLook, resolveMarkers } from '../../replication/checkpoints/markers.ts';
import { copyGroupOffsets } from '../../replication/groups/copy-group-offsets.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

const topic = 'events';
const groupCount = 1_000;
let brokers: TestBroker[];
let admins: PlatformaticAdmin[];

beforeAll(async () => {
  brokers = await Promise.all([startTestBroker(), startTestBroker()]);
  admins = brokers.map((b) => new PlatformaticAdmin({ region: 'test', bootstrap: [b.address] }));
  for (const admin of admins) await admin.createTopic({ name: topic, partitions: 2, configs: {} });
});
afterAll(async () => {
  await Promise.all((admins ?? []).map((a) => a.close()));
  await Promise.all((brokers ?? []).map((b) => b.stop()));
});

const at = (partition: number, offset: bigint, metadata = ''): GroupCommit => ({ topic, partition, offset, metadata });
const ends = new Map([
  [`${topic}-0`, 100n],
  [`${topic}-1`, 100n],
]);
const copy = (groups: readonly string[]) =>
  copyGroupOffsets(admins[0] as PlatformaticAdmin, admins[1] as PlatformaticAdmin, groups, ends);
const commits = async (side: number, group: string) => (await admins[side]?.groupCommits([group]))?.get(group);

test('what a group has committed stands for the marker of a partition that a job has not read yet', async () => {
  const admin = admins[0] as PlatformaticAdmin;
  await admin.commitGroups(new Map([['fresh-job', [at(0, 0n)]]]));
  const markers = [0, 1].map((partition) => ({ topic, partition, offset: -3n }));
  const run = 'a'.repeat(32);
  const flink = { list: async () => [{ id: run, name: 'fresh', state: 'RUNNING', startedAtMs: 1 }] };
  const look = (group: string) => markerLook({ kafka: admin, flink }, group);
  const seen = await look('fresh-job')(markers, run);
  expect(seen.ranges).toHaveLength(2);
  expect(resolveMarkers({ offsets: markers, sources: { size: 1 } }, seen, false)).toEqual([
    { topic, partition: 0, marker: '-3', offset: '0' },
  ]);
  expect(await look('nobody')(markers, run)).toMatchObject({ commits: [] });
  await expect(look('fresh-job')([{ topic: 'gone', partition: 0, offset: -3n }], run)).rejects.toThrow();
});

describe('the copy of committed offsets', () => {
  test('keeps what consumers hold beside an offset, and clamps to what is mirrored', async () => {
    await admins[0]?.commitGroups(new Map([['noted', [at(0, 7n, 'state-7'), at(1, 500n)]]]));
    expect(await copy(['noted'])).toMatchObject([{ outcome: 'copied', committed: 2, clamped: 1 }]);
    expect(await commits(1, 'noted')).toEqual([at(0, 7n, 'state-7'), at(1, 100n)]);
    expect(await copy(['noted', 'unknown'])).toMatchObject([{ outcome: 'unchanged' }, { outcome: 'unchanged' }]);
  });

  test.each(['classic', 'consumer'] as const)('never enters a %s group with members', async (groupProtocol) => {
    const group = `busy-${groupProtocol}`;
    await admins[0]?.commitGroups(new Map([[group, [at(0, 7n)]]]));
    const bootstrapBrokers = [brokers[1]?.address ?? ''];
    const consumer = new Consumer({
      groupId: group,
      clientId: 'busy',
      bootstrapBrokers,
      groupProtocol,
      autocommit: false,
    });
    consumer.on('error', () => undefined);
    const stream = await consumer.consume({ topics: [topic] });
    stream.on('error', () => undefined);
    try {
      expect(await copy([group])).toMatchObject([{ outcome: 'active', committed: 0 }]);
      expect(await commits(1, group)).toEqual([]);
    } finally {
      await stream.close();
      await consumer.close(true);
    }
    await expect.poll(async () => (await copy([group]))[0]?.outcome).toBe('copied');
  });

  test(`copies ${groupCount} groups at once, and finds all of them by listing`, async () => {
    const groups = Array.from({ length: groupCount }, (_, i) => `many-${i}`);
    const answers = await admins[0]?.commitGroups(new Map(groups.map((g, i) => [g, [at(0, BigInt(i % 100))]])));
    expect([...(answers?.values() ?? [])].filter((e) => e !== undefined)).toEqual([]);
    const listed = await admins[0]?.listGroups();
    expect(groups.every((g) => listed?.includes(g))).toBe(true);
    const from = performance.now();
    const copies = await copy(groups);
    const ms = performance.now() - from;
    expect(copies.filter((c) => c.outcome !== 'copied')).toEqual([]);
    console.info(`${groupCount} groups in ${ms.toFixed(0)} ms`);
    expect((await copy(groups)).every((c) => c.outcome === 'unchanged')).toBe(true);
  });
});
