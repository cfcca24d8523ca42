import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { readTopic } from '../../lab/auditor/read-topic.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import type { OrphanRecord } from '../../replication/orphans/orphan-record.ts';
import { openReplay } from '../../replication/orphans/replay.ts';
import { openOrphanStore } from '../../runbooks/failback/join-orphans.ts';
import { putRescued } from '../../state/rescued.ts';
import { writeRoles } from '../../state/roles.ts';
import { kafkajsClient, layout, logEnds, type MirrorPair, messages, startMirrorPair } from '../support/mirror-pair.ts';
import { all, deadline, kafkaRegion, leaveBehind, mirrorBack, mirrored, oldLogs } from '../support/orphaned-topic.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(async () => {
  await pair?.stop();
});

const nothing = () => undefined;

test.each(['topic', 'files'] as const)(
  'orphans are kept as a %s, also by a rescue that is cut off again and again, and only then is the topic begun anew',
  async (keepIn) => {
    const prepared = await pair.prepare(2);
    const { topic, partitions } = prepared;
    const [first, second] = partitions as [TopicPartition, TopicPartition];
    await pair.writeMix(topic, 2, 3);
    const ends = await mirrored(pair, prepared);
    const { logs, kept } = oldLogs(pair, prepared, ends, keepIn, keepIn === 'topic' ? 2 : 3);
    expect((await logs.findDivergence(deadline())).map((d) => d.kind)).toEqual(['same', 'same']);

    const lost = await leaveBehind(pair, topic);
    const standbyProducer = kafkajsClient(pair.standby).producer();
    await standbyProducer.connect();
    await standbyProducer.send({ topic, messages: [...messages('new', 20, 0), ...messages('new', 20, 1)] });
    await standbyProducer.disconnect();

    const found = await logs.findDivergence(deadline());
    expect(found.map((d) => d.kind)).toEqual(['orphans', 'same']);
    expect(found[0]?.orphans?.from).toBe(ends[0]);
    expect(await logs.lookForDiverged(found, deadline())).toEqual([topic]);
    await expect(logs.beginAnew(topic, [], nothing, deadline())).rejects.toMatchObject({ code: 'NotRescued' });

    // Each life ends after so many batches.
    for (let life = 2; life < 5; life++) {
      let left = life;
      const mayAct = () => {
        if (left-- === 0) throw new Error('killed');
      };
      await logs
        .rescue(found, mayAct, nothing, deadline())
        .catch((error: Error) => expect(error.message).toBe('killed'));
    }
    await logs.rescue(found, nothing, nothing, deadline());
    const verdict = await logs.checkRescue(found, deadline());
    expect(verdict).toMatchObject({
      kind: 'verified',
      partitions: [{ topic, partition: 0, orphans: BigInt(lost), aborted: 4n, open: 0n, older: 0n }],
    });
    const records = await kept(first);
    expect(records).toHaveLength(lost);
    expect(new Set(records.map((r) => r.offset)).size).toBe(lost);
    expect(await kept(second)).toEqual([]);
    expect(Map.groupBy(records, (r) => r.transaction).get('committed')).toHaveLength(3);

    if (verdict.kind !== 'verified') throw new Error('not verified');
    await logs.beginAnew(topic, verdict.partitions, nothing, deadline());
    expect(await logEnds(pair.primaryAdmin, partitions)).toEqual([0n, 0n]);
    const after = await logs.findDivergence(deadline());
    expect(after.map((d) => d.kind)).toEqual(['behind', 'behind']);
    expect(await logs.lookForDiverged(found, deadline())).toEqual([]);

    expect(await mirrorBack(pair, prepared, `back-${topic}`)).toBeUndefined();
    for (const tp of partitions) expect(await layout(pair.primary, tp)).toEqual(await layout(pair.standby, tp));
  },
);

test('a topic that did not diverge is mirrored on from where it is, with what a promotion left in it', async () => {
  const prepared = await pair.prepare(2);
  const { topic, partitions, transactionalId, identity } = prepared;
  await pair.writeMix(topic, 2, 2);
  const ends = await mirrored(pair, prepared);
  // A failover that shut the mirror out, and a promoted job that writes transactions.
  await pair.standbyAdmin.fenceProducer({ transactionalId, ...identity }, partitions);
  const producer = kafkajsClient(pair.standby).producer({
    transactionalId: `job-${topic}`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  for (const outcome of ['commit', 'abort', 'commit'] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [...messages(outcome, 5, 0), ...messages(outcome, 5, 1)] });
    await transaction[outcome]();
  }
  await producer.disconnect();
  const { logs } = oldLogs(pair, prepared, ends, 'topic', 6);
  const found = await logs.findDivergence(deadline());
  expect(found.map((d) => d.kind)).toEqual(['same', 'same']);
  expect(await logs.lookForDiverged(found, deadline())).toEqual([]);
  expect(await mirrorBack(pair, prepared, `back-${topic}`)).toBeUndefined();
  for (const tp of partitions) expect(await layout(pair.primary, tp)).toEqual(await layout(pair.standby, tp));
});

test('what the active side has deleted is kept as well, before a topic is begun anew', async () => {
  const prepared = await pair.prepare(1);
  const { topic, partitions } = prepared;
  const producer = await pair.newProducer();
  for (let i = 0; i < 10; i++) await producer.send({ topic, messages: messages(`shared ${i}`, 10, 0) });
  const ends = await mirrored(pair, prepared);
  await producer.send({ topic, messages: messages('orphan', 5, 0) });
  const { deleteBefore } = await import('../support/raise-log.ts');
  await deleteBefore(pair.standby, { topic, partition: 0 }, 35n);
  const { logs, kept } = oldLogs(pair, prepared, ends, 'topic', 4);
  const found = await logs.findDivergence(deadline());
  expect(found[0]).toMatchObject({ kind: 'orphans', older: { from: 0n, to: 35n }, orphans: { from: 100n, to: 105n } });
  await logs.rescue(found, nothing, nothing, deadline());
  const verdict = await logs.checkRescue(found, deadline());
  if (verdict.kind !== 'verified') throw new Error(verdict.what);
  expect(verdict.partitions).toMatchObject([{ orphans: 5n, older: 35n }]);

  // Retention goes on: what it takes now is kept nowhere yet.
  await deleteBefore(pair.standby, { topic, partition: 0 }, 40n);
  await expect(logs.beginAnew(topic, verdict.partitions, nothing, deadline())).rejects.toMatchObject({
    code: 'NotRescued',
    message: expect.stringContaining('[35, 40)'),
  });
  const again = await logs.findDivergence(deadline());
  await logs.rescue(again, nothing, nothing, deadline());
  const second = await logs.checkRescue(again, deadline());
  if (second.kind !== 'verified') throw new Error(second.what);
  await logs.beginAnew(topic, second.partitions, nothing, deadline());
  const records = await kept({ topic, partition: 0 });
  expect(records.filter((r) => r.reason === 'older').map((r) => r.offset)).toEqual(
    Array.from({ length: 40 }, (_, i) => BigInt(i)),
  );
  expect(partitions.map(partitionKey)).toEqual([`${topic}-0`]);
});

test('a second writer of the same orphans is shut out by the one that came after it', async () => {
  const prepared = await pair.prepare(1);
  const { topic } = prepared;
  const tp = { topic, partition: 0 };
  const origin = { region: 'mumbai', promotion: 5 };
  const active = kafkaRegion('singapore', pair.standbyAdmin, pair.standby);
  const record = (offset: bigint): OrphanRecord => ({
    offset,
    timestampMs: 1_700_000_000_000n,
    reason: 'orphan',
    transaction: 'none',
    body: Buffer.from([2, 107, 2, 118, 0]),
  });
  const [paused, other] = [openOrphanStore(active, 'topic', 5), openOrphanStore(active, 'topic', 5)];
  try {
    const kept = [{ topic, partitions: 1 }];
    await paused.open(kept, deadline());
    await paused.append(tp, origin, [record(1n)], deadline());
    await other.open(kept, deadline());
    await expect(paused.append(tp, origin, [record(2n)], deadline())).rejects.toMatchObject({ code: 'KafkaFailed' });
    await other.append(tp, origin, [record(2n), record(3n)], deadline());
    const there = await all(other.read(tp, origin, deadline()));
    expect(there.map((r) => r.offset)).toEqual([1n, 2n, 3n]);
    expect(there[0]?.body.equals(record(1n).body)).toBe(true);
  } finally {
    paused.close();
    other.close();
  }
});

test('orphans are replayed into the live topic once, also when that is cut off again and again', async () => {
  const prepared = await pair.prepare(1);
  const { topic, partitions } = prepared;
  const tp = { topic, partition: 0 };
  const ends = await mirrored(pair, prepared);
  const lost = await leaveBehind(pair, topic);
  const { logs, kept } = oldLogs(pair, prepared, ends, 'topic', 7);
  await logs.rescue(await logs.findDivergence(deadline()), nothing, nothing, deadline());
  const producer = kafkajsClient(pair.standby).producer();
  await producer.connect();
  await producer.send({ topic, messages: messages('live', 3, 0) });
  const [from = 0n] = await logEnds(pair.standbyAdmin, partitions);

  const active = kafkaRegion('singapore', pair.standbyAdmin, pair.standby);
  const origin = { region: 'mumbai', promotion: 7 };
  const orphans = await kept(tp);
  const given = async function* () {
    yield* orphans;
  };
  let written = 0;
  for (const life of [1, 2, Number.POSITIVE_INFINITY]) {
    let left = life;
    const mayAct = () => {
      if (left-- === 0) throw new Error('killed');
    };
    const replay = await openReplay(active, 'argus-replay-7', deadline());
    try {
      written = await replay.replay(tp, given(), {
        origin,
        from,
        maxBatchBytes: 1_000_000,
        mayAct,
        signal: deadline(),
      });
    } catch (error) {
      expect(error).toMatchObject({ message: 'killed' });
      // Others write between.
      await producer.send({ topic, messages: messages('between', 2, 0) });
    } finally {
      replay.close();
    }
  }
  await producer.disconnect();
  expect(written).toBeGreaterThan(0);
  const values: string[] = [];
  await readTopic({ bootstrap: pair.standby.address, topic }, ({ value }) => void values.push(value));
  const replayed = values.filter((v) => v.startsWith('lost-') || v.startsWith('committed-') || v === '');
  // All but those of the aborted transaction.
  expect(replayed).toHaveLength(lost - 4);
  expect(new Set(replayed).size).toBe(lost - 4);
  expect(values.filter((v) => v.startsWith('aborted-'))).toEqual([]);
});

test('the commands list, export and replay what was kept', async () => {
  const prepared = await pair.prepare(1);
  const { topic } = prepared;
  const ends = await mirrored(pair, prepared);
  const lost = await leaveBehind(pair, topic);
  const { logs } = oldLogs(pair, prepared, ends, 'topic', 8);
  const found = await logs.findDivergence(deadline());
  await logs.rescue(found, nothing, nothing, deadline());
  const verdict = await logs.checkRescue(found, deadline());
  if (verdict.kind !== 'verified') throw new Error(verdict.what);

  const dir = await mkdtemp(join(tmpdir(), 'argus-orphans-'));
  try {
    const yaml = sampleYaml
      .replace('127.0.1.1:19092', pair.primary.address)
      .replace('127.0.2.1:19092', pair.standby.address)
      .replace('[events]', `[${topic}]`);
    await writeFile(join(dir, 'argus.yaml'), yaml);
    const state = fileObjectStore(join(dir, 'state'));
    await writeRoles(state, {
      epoch: 8,
      primary: 'singapore',
      standby: 'mumbai',
      replication: 'suspended',
      atMs: 1,
      by: 'me',
    });
    const partitions = verdict.partitions.map((p) => ({ ...p, ranges: [...p.ranges] }));
    const topics = { [topic]: { partitions, where: 'a topic', verifiedAtMs: 1, reseeded: false } };
    const kept = { promotion: 8, region: 'mumbai', keptBy: 'singapore', run: 'r', atMs: 1 };
    await putRescued(state, { ...kept, to: 'topic', topics });
    const secrets = ['MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN'];
    const settings = {
      configPath: join(dir, 'argus.yaml'),
      env: Object.fromEntries(secrets.map((name) => [name, 'x'])),
    };
    const run = (...args: readonly string[]) => argus(settings, ['--json', 'orphans', ...args]);

    expect(JSON.parse((await run('list')).stdout)).toMatchObject({
      rescued: [{ promotion: 8, topics: [{ topic, orphans: lost, aborted: 4, replayed: null }] }],
    });
    const file = join(dir, 'orphans.jsonl');
    expect(await run('export', '--topic', topic, '--to', file)).toMatchObject({ exitCode: 0 });
    const lines = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(lost);
    expect(lines[0]).toMatchObject({ topic, partition: 0, key: { text: 'k0' }, value: { text: 'lost-0' } });
    expect(await run('export', '--to', file), 'never over another file').toMatchObject({ exitCode: 2 });
    expect(await run('export', '--topic', 'other')).toMatchObject({ exitCode: 2 });

    expect(await run('replay', '--topic', topic), 'nobody can be asked').toMatchObject({ exitCode: 4 });
    for (const written of [lost - 4, 0]) {
      const replay = await run('replay', '--topic', topic, '--yes');
      expect(replay.exitCode, replay.stderr).toBe(0);
      expect(JSON.parse(replay.stdout)).toMatchObject({ orphans: lost - 4, written });
    }
    expect(JSON.parse((await run('list')).stdout).rescued[0].topics[0].replayed).toMatchObject({ records: lost - 4 });
  } finally {
    await rm(dir, { recursive: true });
  }
});
