import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { compareTopic } from '../../drills/compare/compare-topic.ts';
import { type OutputReader, outputReader } from '../../drills/compare/read-output.ts';
import { proveMirror } from '../../drills/prove/prove-mirror.ts';
import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { sinkWatch } from '../../replication/checkpoints/sink-ends.ts';
import { dropMirroredRecord } from '../support/drop-mirrored-record.ts';
import { type MirrorPair, messages, mirroring, startMirrorPair } from '../support/mirror-pair.ts';

let pair: MirrorPair;
let reader: OutputReader;
const endpoint = (name: string, broker: { readonly address: string }) => ({ name, bootstrap: [broker.address] });
const soon = () => AbortSignal.timeout(100_000);
const clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: () => new Promise<void>((r) => setTimeout(r, 50)),
};

beforeAll(async () => {
  pair = await startMirrorPair();
  reader = outputReader(endpoint('singapore', pair.standby));
});
afterAll(async () => {
  reader?.close();
  await pair?.stop();
});

const json = (from: number, count: number, over: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => ({
    key: 'k',
    value: JSON.stringify({ n: from + i, ...over(i) }),
    partition: 0,
  }));

describe('a drill’s output beside production’s, as the standby has both', () => {
  test('is the same, or the first difference is told by its place and the member that differs', async () => {
    const prepared = await pair.prepare(1);
    const { topic } = prepared;
    const watch = sinkWatch(endpoint('mumbai', pair.primary));
    /** A checkpoint that is complete now, its transaction pre-committed. */
    const checkpointNow = async (checkpointId: number): Promise<CheckpointManifest> => {
      const sinkEnds = { atMs: 1, newerComplete: false, ...(await watch.look([topic])) };
      const droppedTransactions = sinkEnds.open.map((open) => ({ ...open, transactionalId: 'sink' }));
      return { checkpointId, sinkEnds, droppedTransactions } as unknown as CheckpointManifest;
    };
    const sink = await pair.newProducer(`sink-${topic}`);
    const ended = async (count: string) => {
      const stable = async () => (await watch.look([topic])).partitions[0]?.stableOffset;
      // A broker writes a transaction's marker after its answer.
      await expect.poll(stable).toBe(count);
    };
    try {
      const first = await sink.transaction();
      await first.send({ topic, messages: json(0, 3) });
      const from = await checkpointNow(1);
      await first.commit();
      await ended('4');
      const second = await sink.transaction();
      await second.send({ topic, messages: json(3, 5) });
      const until = await checkpointNow(2);
      await mirroring(prepared, async (mirror) => {
        await second.commit();
        await ended('10');
        await pair.catchesUp(mirror, prepared);
      });
      const drilled = async (name: string, records: ReturnType<typeof json>) => {
        const drillTopic = `argus.drill.x.${name}`;
        await pair.standbyAdmin.createTopic({ name: drillTopic, partitions: 1, configs: {} });
        await write(pair, drillTopic, records);
        const ends = (await reader.ends(drillTopic, soon())).map(({ offset: to, ...at }) => ({ ...at, from: 0n, to }));
        const compared = await compareTopic(
          {
            job: 'counts',
            topic,
            by: 'key',
            ignore: ['/at'],
            bounds: { from, until, past: until },
            produced: { reader, against: 'mirrored' },
            drilled: { reader, ends },
          },
          soon(),
        );
        return compared.kind === 'ended' ? compared.comparison : compared;
      };
      expect(
        await drilled(
          'same',
          json(3, 5, (i) => ({ at: i })),
        ),
      ).toEqual({
        job: 'counts',
        topic,
        kind: 'compared',
        against: 'mirrored',
        records: 5,
        missing: 0,
        unexpected: 0,
        differing: 0,
      });
      expect(
        await drilled(
          'changed',
          json(3, 5, (i) => (i === 2 ? { n: 99 } : {})),
        ),
      ).toMatchObject({
        records: 4,
        differing: 1,
        first: `${topic}-0: production's record at offset 6 and the drill's in its place differ in /n`,
      });
      expect(await drilled('short', json(3, 4))).toMatchObject({
        records: 4,
        missing: 1,
        first: `${topic}-0: production's record at offset 8 was not made again`,
      });
      expect(await drilled('double', [...json(3, 1), ...json(3, 5)])).toMatchObject({ records: 5, unexpected: 1 });
    } finally {
      watch.close();
    }
  });
});

test('the mirror is compared from where the sources go on, and a record that it lost is named', async () => {
  const prepared = await pair.prepare(1);
  const { topic } = prepared;
  await (await pair.newProducer()).send({ topic, messages: messages('event', 40) });
  await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
  const point = (offset: string) =>
    ({ sourceOffsets: [{ topic, partition: 0, offset }] }) as unknown as CheckpointManifest;
  const sides = { primary: endpoint('mumbai', pair.primary), standby: endpoint('singapore', pair.standby) };
  const prove = (offset: string, over: Partial<typeof sides> = {}) =>
    proveMirror({
      ...sides,
      ...over,
      points: [point(offset)],
      compacted: new Set(),
      clock,
      patienceMs: 60_000,
      signal: soon(),
    });
  const end = Number((await reader.ends(topic, soon()))[0]?.offset);
  const proved = await prove('10');
  expect(proved).toMatchObject({ kind: 'compared', partitions: 1, causes: [] });
  const dark = { name: 'mumbai', bootstrap: ['127.0.0.1:1'] };
  expect(await prove('10', { primary: dark })).toMatchObject({ kind: 'not-compared', causes: [] });

  const lost = await dropMirroredRecord(pair.standby.address, topic, 5);
  const found = await prove('0');
  const causes = found.kind === 'compared' ? found.causes : [];
  expect(causes).toMatchObject([{ code: expect.stringMatching(/^Record(Differs|Missing)$/) }]);
  expect(causes[0]?.message).toMatch(`${topic}-0 at offset `);
  // Past it, up to the shorter end, every record stands one too low.
  expect(Number(lost.offset)).toBeLessThan(end);
});

async function write({ standby }: MirrorPair, topic: string, records: ReturnType<typeof json>): Promise<void> {
  const producer = auditorClient(standby.address).producer();
  await producer.connect();
  await producer.send({ topic, messages: records });
  await producer.disconnect();
}
