import type { Consumer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TopicPartition } from '../../domain/offsets.ts';
import { fillerBatch, fillerRecords } from '../../regions/kafka/filler-batch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { mirrorIds } from '../../regions/kafka/mirror-ids.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { addPartitionsToTxnRequest, findTransactionCoordinatorRequest } from '../../regions/kafka/transactions.ts';
import { abortAll, type CommitWishes, decideOpenTransactions } from '../../replication/topics/decide-transactions.ts';
import { closeIdleIds, endTransaction, lastStableOffsets } from '../../replication/topics/end-open-transactions.ts';
import { openTransactions, type ToldTransaction } from '../../replication/topics/open-transactions.ts';
import type { TestBroker } from '../support/kafka-broker.ts';
import {
  kafkajsClient,
  logEnds,
  type MirrorPair,
  messages,
  mirroring,
  startMirrorPair,
} from '../support/mirror-pair.ts';

let pair: MirrorPair;
const clusters: KafkaCluster[] = [];

beforeAll(async () => {
  // A transaction that no coordinator knows can only be begun where brokers don't ask one.
  pair = await startMirrorPair({ primary: { 'transaction.partition.verification.enable': 'false' } });
});
afterAll(async () => {
  for (const cluster of clusters) cluster.close();
  await pair?.stop();
});

const signal = () => AbortSignal.timeout(30_000);

function clusterOf(name: string, broker: TestBroker): KafkaCluster {
  const times = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const cluster = new KafkaCluster({ name, bootstrap: [broker.address], clientId: 'promotion', ...times });
  clusters.push(cluster);
  return cluster;
}

/** Ends what stands open, as `wishes` say, and gives how each ended. */
async function promote(
  partitions: readonly TopicPartition[],
  promotedAt: ReadonlyMap<number, bigint>,
  told: readonly ToldTransaction[],
  wishes: CommitWishes,
) {
  const target = clusterOf('singapore', pair.standby);
  const open = await openTransactions(target, partitions, { told, source: undefined }, signal());
  const decided = decideOpenTransactions(open, wishes);
  const ended = [];
  for (const each of decided.own) {
    ended.push(await endTransaction(target, each, promotedAt.get(each.transaction.partition) ?? 0n, signal()));
  }
  return { ...decided, ended };
}

/** What a read_committed reader of the standby gets until the last of `wanted` values has come. */
async function readCommitted(topic: string, last: string): Promise<readonly string[]> {
  const consumer: Consumer = kafkajsClient(pair.standby).consumer({ groupId: `reader-${topic}-${Math.random()}` });
  const seen: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const take = async ({ message }: { readonly message: { readonly value: Buffer | null } }) => {
      seen.push(`${message.value}`);
      if (`${message.value}` === last) resolve();
    };
    consumer.run({ eachMessage: take }).catch(reject);
  });
  await consumer.disconnect();
  return seen;
}

test('a standby that never saw a transactional id has none of the mirror`s', async () => {
  const target = clusterOf('singapore', pair.standby);
  expect(await mirrorIds(target, [{ topic: 'events', partition: 0 }], [], AbortSignal.timeout(5_000))).toEqual([]);
});

describe('a promotion with transactions that stand open at the cut', () => {
  test('ends each as decided; readers of committed records go on, and nothing of others is touched', async () => {
    const prepared = await pair.prepare(2);
    const { topic, partitions } = prepared;
    const [plain, kept, lost] = [
      await pair.newProducer(),
      await pair.newProducer(`kept-${topic}`),
      await pair.newProducer(`lost-${topic}`),
    ];
    await plain.send({ topic, messages: messages('before', 2, 0) });
    const closed = await kept.transaction();
    await closed.send({ topic, messages: messages('closed', 2, 0) });
    await closed.commit();
    const [toKeep, toLose] = [await kept.transaction(), await lost.transaction()];
    await toKeep.send({ topic, messages: messages('kept', 3, 0) });
    await toLose.send({ topic, messages: messages('lost', 2, 0) });
    await toKeep.send({ topic, messages: messages('kept', 1, 1) });
    await plain.send({ topic, messages: messages('behind', 1, 0) });

    let frozen: Awaited<ReturnType<Parameters<Parameters<typeof mirroring>[1]>[0]['freeze']>> | undefined;
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      frozen = await mirror.freeze(5_000);
    });
    if (!frozen) throw new Error('not frozen');
    const promotedAt = new Map(frozen.endOffsets.map((e) => [e.partition, e.offset]));
    expect(frozen.openTransactions).toHaveLength(3);

    const target = clusterOf('singapore', pair.standby);
    const source = clusterOf('mumbai', pair.primary);
    const byMirror = await openTransactions(
      target,
      partitions,
      { told: frozen.openTransactions, source: undefined },
      signal(),
    );
    const bySource = await openTransactions(target, partitions, { told: [], source }, signal());
    const idOf = (partition: number) => new RegExp(`^__argus-mirror-${topic}-${partition}-t\\d$`);
    const whose = (list: typeof byMirror) =>
      list.map((t) => [t.partition, t.owner, t.transactionalId, t.firstOffset, t.sourceProducerId]);
    expect(whose(byMirror)).toEqual([
      [0, 'mirror', expect.stringMatching(idOf(0)), 5n, expect.any(BigInt)],
      [0, 'mirror', expect.stringMatching(idOf(0)), 8n, expect.any(BigInt)],
      [1, 'mirror', expect.stringMatching(idOf(1)), 0n, expect.any(BigInt)],
    ]);
    expect(whose(bySource)).toEqual(whose(byMirror));
    expect(byMirror[0]?.sinceMs).toBeGreaterThan(Date.now() - 60_000);
    const [first, , third] = byMirror;
    expect(third?.sourceProducerId).toBe(first?.sourceProducerId);

    // Somebody writes to the second partition of the standby in a transaction of his own.
    const stranger = kafkajsClient(pair.standby).producer({
      transactionalId: 'stranger',
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await stranger.connect();
    const foreign = await stranger.transaction();
    await foreign.send({ topic, messages: messages('foreign', 1, 1) });

    const asked = [`${first?.sourceProducerId}`, '4711'];
    const done = await promote(partitions, promotedAt, frozen.openTransactions, { ...abortAll, asked });
    expect(done.unmatched).toEqual(['4711']);
    expect(done.foreign).toMatchObject([{ partition: 1, owner: 'foreign', transactionalId: undefined }]);
    expect(done.ended.map((e) => [e.partition, e.firstOffset, e.outcome, e.because, e.records])).toEqual([
      [0, 5n, 'commit', 'asked', 3],
      [0, 8n, 'abort', 'default', 2],
      [1, 0n, 'commit', 'asked', 1],
    ]);
    for (const e of done.ended) expect(e.markerOffset).toBeGreaterThanOrEqual(promotedAt.get(e.partition) ?? 0n);

    const ends = await logEnds(pair.standbyAdmin, partitions);
    const stable = (await lastStableOffsets(target, partitions, signal())).map((s) => s.offset);
    expect(stable[0]).toBe(ends[0]);
    // The stranger's stands open as before: readers wait there, for his record.
    expect(stable[1]).toBe(done.foreign[0]?.firstOffset);
    await foreign.commit();
    await expect
      .poll(async () => (await lastStableOffsets(target, partitions, signal()))[1]?.offset)
      .toBe((await logEnds(pair.standbyAdmin, partitions))[1]);
    const writer = kafkajsClient(pair.standby).producer();
    await writer.connect();
    await writer.send({ topic, messages: messages('last', 1, 0) });
    const values = await readCommitted(topic, 'last-0');
    expect(values.filter((v) => !v.startsWith('foreign') && v !== 'kept-0').sort()).toEqual(
      ['before-0', 'before-1', 'behind-0', 'closed-0', 'closed-1', 'kept-1', 'kept-2', 'last-0'].sort(),
    );
    expect(values.filter((v) => v === 'kept-0').length).toBeGreaterThan(0);
    // Again: nothing is left to do.
    expect(await openTransactions(target, partitions, { told: [], source: undefined }, signal())).toEqual([]);
    await Promise.all([stranger.disconnect(), writer.disconnect()]);
    await Promise.all([toKeep.abort(), toLose.abort()]);
  });

  test('has nothing to end where the mirror was fenced', async () => {
    const prepared = await pair.prepare(1);
    const { topic, partitions, transactionalId, identity } = prepared;
    const producer = await pair.newProducer(`fenced-${topic}`);
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: messages('open', 4) });
    await mirroring(prepared, async (mirror) => pair.catchesUp(mirror, prepared));
    const target = clusterOf('singapore', pair.standby);
    expect(await openTransactions(target, partitions, { told: [], source: undefined }, signal())).toHaveLength(1);
    const aborted = await pair.standbyAdmin.fenceProducer({ transactionalId, ...identity }, partitions);
    expect(aborted).toEqual(new Map([[`${topic}-0`, 1]]));
    expect(await openTransactions(target, partitions, { told: [], source: undefined }, signal())).toEqual([]);
    expect((await lastStableOffsets(target, partitions, signal())).map((s) => s.offset)).toEqual(
      await logEnds(pair.standbyAdmin, partitions),
    );
    await transaction.abort();
  });

  test('refuses what a mirror that has stopped still had under way for an id without a transaction', async () => {
    const prepared = await pair.prepare(1);
    const { topic, partitions } = prepared;
    const producer = await pair.newProducer(`late-${topic}`);
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: messages('done', 1) });
    await transaction.commit();
    // The marker follows the answer.
    await expect.poll(() => logEnds(pair.primaryAdmin, partitions)).toEqual([2n]);
    await mirroring(prepared, async (mirror) => {
      await pair.catchesUp(mirror, prepared);
      await mirror.freeze(5_000);
    });
    const target = clusterOf('singapore', pair.standby);
    const [id] = await mirrorIds(target, partitions, [], signal());
    if (!id) throw new Error('the mirror has no id');
    const before = await logEnds(pair.standbyAdmin, partitions);
    expect(await closeIdleIds(target, partitions, signal())).toBe(1);
    // What was in the broker's socket when the mirror stopped.
    const { address } = await target.ask(() => findTransactionCoordinatorRequest(id.transactionalId));
    const late = await target.sendTo(
      address,
      'late',
      addPartitionsToTxnRequest(id.transactionalId, id, partitions),
      {},
    );
    expect(late).toMatchObject([{ errorCode: 47 }]);
    expect(await openTransactions(target, partitions, { told: [], source: undefined }, signal())).toEqual([]);
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual(before);
  });

  test.each(['commit', 'abort'] as const)(
    'ends by %s what the coordinator took for ended, after a crash',
    async (outcome) => {
      const target = clusterOf('mumbai', pair.primary);
      const tp = { topic: `forgotten-${outcome}`, partition: 0 };
      await pair.primaryAdmin.createTopic({ name: tp.topic, partitions: 1, configs: {} });
      const id = `__argus-mirror-${tp.topic}-0-t0`;
      const producer = await pair.primaryAdmin.initProducer(id);
      await target.refresh([tp.topic]);
      const bytes = fillerBatch(fillerRecords(3, 'gzip'), { producer, baseSequence: 0, transactional: true });
      const sent = await target.send(target.leaderOf(tp), 'late', produceRequest([{ ...tp, bytes }], 5_000, id));
      expect(sent).toMatchObject([{ errorCode: 0, baseOffset: 0n }]);
      const [open] = await openTransactions(target, [tp], { told: [], source: undefined }, signal());
      expect(open).toMatchObject({ owner: 'mirror', transactionalId: id, firstOffset: 0n });
      if (!open) throw new Error('nothing is open');
      const ended = await endTransaction(target, { transaction: open, outcome, because: 'default' }, 3n, signal());
      expect(ended).toMatchObject({ outcome, wanted: outcome, markerOffset: 3n, records: 3 });
      expect(await openTransactions(target, [tp], { told: [], source: undefined }, signal())).toEqual([]);
      expect(await lastStableOffsets(target, [tp], signal())).toEqual([{ ...tp, offset: 4n }]);
    },
  );
});
