import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SinkEnds } from '../../domain/checkpoint.ts';
import { partitionKey } from '../../domain/offsets.ts';
import { sinkWatch } from '../../replication/checkpoints/sink-ends.ts';
import { judgeOutput, outputRanges } from '../../replication/recovery-point/judge-output.ts';
import { sinkLogReader } from '../../replication/recovery-point/sink-logs.ts';
import { type MirrorPair, messages, mirroring, type PreparedTopic, startMirrorPair } from '../support/mirror-pair.ts';

let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(() => pair?.stop());

const endpoint = (name: string, broker: { readonly address: string }) => ({ name, bootstrap: [broker.address] });

async function look({ topic }: PreparedTopic): Promise<SinkEnds> {
  const watch = sinkWatch(endpoint('mumbai', pair.primary));
  try {
    return { atMs: 1, newerComplete: false, ...(await watch.look([topic])) };
  } finally {
    watch.close();
  }
}

/** How the output stands on the standby, for a checkpoint that had pre-committed the first of the open transactions. */
async function judged({ topic, partitions }: PreparedTopic, sinkEnds: SinkEnds) {
  const [first] = sinkEnds.open;
  const droppedTransactions = first ? [{ ...first, transactionalId: 'sink' }] : [];
  const manifest = { droppedTransactions, sinkEnds };
  const held = new Map((await pair.standbyAdmin.logRanges(partitions)).map((r) => [partitionKey(r), r]));
  const wanted = outputRanges(manifest, [], [topic], held);
  const logs = await sinkLogReader(endpoint('singapore', pair.standby)).read(wanted, AbortSignal.timeout(20_000));
  return judgeOutput(manifest, [topic], logs ?? [], new Set([topic]));
}

test('tells a checkpoint`s own transaction from later ones by what was open at the primary', async () => {
  const prepared = await pair.prepare(2);
  const { topic } = prepared;
  const sinks = await Promise.all(['before', 'own', 'next', 'last'].map((id) => pair.newProducer(`${id}-${topic}`)));
  const [before, own, next, last] = await Promise.all(sinks.map((sink) => sink.transaction()));
  await before?.send({ topic, messages: messages('before', 3) });
  await before?.commit();
  // A broker writes a transaction's marker after its answer.
  const stable = async () => (await look(prepared)).partitions[0]?.stableOffset;
  await expect.poll(stable).toBe('4');
  await own?.send({ topic, messages: messages('own', 5) });
  await next?.send({ topic, messages: messages('next', 2) });
  const sinkEnds = await look(prepared);
  expect(sinkEnds.partitions).toEqual([
    { topic, partition: 0, endOffset: '11', stableOffset: '4' },
    { topic, partition: 1, endOffset: '0', stableOffset: '0' },
  ]);
  expect(sinkEnds.open.map(({ partition, firstOffset }) => [partition, firstOffset])).toEqual([
    [0, '4'],
    [0, '9'],
  ]);
  await own?.commit();
  await next?.send({ topic, messages: messages('next', 4) });
  await next?.commit();
  await last?.send({ topic, messages: messages('last', 7) });
  await mirroring(prepared, async (mirror) => pair.catchesUp(mirror, prepared));
  const output = await judged(prepared, sinkEnds);
  expect(output.own).toMatchObject([{ partition: 0, firstOffset: 4n, records: 5, outcome: 'commit' }]);
  expect(output.doubled).toEqual([{ topic, records: 6, basis: 'exact' }]);
  await last?.abort();
});

test('sees that a fence has aborted what the checkpoint counted on', async () => {
  const prepared = await pair.prepare(1);
  const { topic, partitions } = prepared;
  const own = await (await pair.newProducer(`own-${topic}`)).transaction();
  await own.send({ topic, messages: messages('own', 5) });
  const sinkEnds = await look(prepared);
  await mirroring(prepared, async (mirror) => {
    await pair.catchesUp(mirror, prepared);
    const identity = { transactionalId: prepared.transactionalId, ...prepared.identity };
    await pair.standbyAdmin.fenceProducer(identity, partitions);
  });
  const output = await judged(prepared, sinkEnds);
  expect(output.own).toMatchObject([{ firstOffset: 0n, records: 5, outcome: 'abort' }]);
  expect(output.doubled).toEqual([{ topic, records: 0, basis: 'exact' }]);
  await own.commit();
});

test('jobs that look at the same time, each at its own topic, all see their ends', async () => {
  const watch = sinkWatch(endpoint('mumbai', pair.primary));
  const topics = (await Promise.all([1, 1, 1].map((partitions) => pair.prepare(partitions)))).map(({ topic }) => topic);
  try {
    for (let round = 0; round < 10; round++) {
      const seen = await Promise.all(topics.map((topic) => watch.look([topic])));
      expect(seen.map(({ partitions }) => partitions[0]?.topic)).toEqual(topics);
    }
  } finally {
    watch.close();
  }
});

test('a Kafka that does not answer is given up after 2 seconds, and asked anew the next time', async () => {
  const prepared = await pair.prepare(1);
  const watch = sinkWatch(endpoint('mumbai', pair.primary));
  try {
    await watch.look([prepared.topic]);
    pair.primary.freeze();
    const began = performance.now();
    await expect(watch.look([prepared.topic])).rejects.toMatchObject({ code: 'KafkaUnreachable' });
    expect(performance.now() - began).toBeLessThan(20_000);
    pair.primary.thaw();
    const seen = async () => (await watch.look([prepared.topic])).partitions.length;
    await expect.poll(() => seen().catch(() => 0)).toBe(1);
    await expect(watch.look(['no-such-topic'])).rejects.toMatchObject({ code: 'KafkaFailed' });
  } finally {
    pair.primary.thaw();
    watch.close();
  }
});
