import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Mirror } from '../../replication/topics/mirror.ts';
import {
  layout,
  logEnds,
  type MirrorPair,
  messages,
  mirroring,
  type PreparedTopic,
  startMirrorPair,
  theEnd,
} from '../support/mirror-pair.ts';

const kills = 30;
const partitions = 3;
let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(() => pair?.stop());

/** Small transactions of two producers in turn, of which every third is aborted, and plain records now and then. */
async function writeSmall(topic: string, count: number): Promise<void> {
  const [plain, a, b] = [
    await pair.newProducer(),
    await pair.newProducer(`a-${topic}`),
    await pair.newProducer(`b-${topic}`),
  ];
  const write = async (by: typeof a, name: string) => {
    for (let n = 0; n < count; n++) {
      const transaction = await by.transaction();
      await transaction.send({ topic, messages: messages(`${name} ${n}`, 2, n % partitions) });
      await (n % 3 ? transaction.commit() : transaction.abort());
    }
  };
  const writePlain = async () => {
    for (let n = 0; n < count / 4; n++)
      await plain.send({ topic, messages: messages(`plain ${n}`, 1, n % partitions) });
  };
  await Promise.all([write(a, 'a'), write(b, 'b'), writePlain()]);
}

async function finish(topic: string): Promise<void> {
  const last = Array.from({ length: partitions }, (_, p) => messages(theEnd, 1, p)).flat();
  await (await pair.newProducer()).send({ topic, messages: last });
}

const stops = (mirror: Mirror, topic: string) =>
  (mirror.status().topics[topic]?.partitions ?? []).map((p) => p.stop?.reason);

/** Waits until each partition has all, or stands still by name. */
async function settles(mirror: Mirror, { topic, partitions: tps }: PreparedTopic): Promise<void> {
  const wanted = await logEnds(pair.primaryAdmin, tps);
  const open = () =>
    (mirror.status().topics[topic]?.partitions ?? []).filter((p, i) => !p.stop && p.mirroredEndOffset !== wanted[i]);
  await expect.poll(open, { timeout: 40_000, interval: 20 }).toEqual([]);
}

/** How the standby differs from the primary where it stopped: behind what is the same only markers may stand. */
async function isOnlyMarkersAhead(tp: PreparedTopic['partitions'][number]): Promise<boolean> {
  const [here, there] = [await layout(pair.primary, tp), await layout(pair.standby, tp)];
  const same = there.findIndex((line, i) => line !== here[i]);
  return there.slice(same < 0 ? there.length : same).every((line) => / (?:commit|abort)$/.test(line));
}

describe('the mirror of transactions', () => {
  test(`holds nothing wrong after the standby was killed ${kills} times in the midst of small ones`, async () => {
    let repeated = 0;
    for (let n = 0; n < kills; n++) {
      const prepared = await pair.prepare(partitions, {}, { replayTransactions: true });
      const { topic } = prepared;
      await writeSmall(topic, 24);
      await mirroring(prepared, async (mirror) => {
        const at = async () =>
          (await logEnds(pair.standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
        await expect.poll(at, { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(BigInt(10 + ((7 * n) % 80)));
        await pair.standby.kill();
        await pair.standby.start();
        await finish(topic);
        await settles(mirror, prepared);
        const reasons = stops(mirror, topic);
        if (reasons.every((r) => r === undefined)) return pair.expectIdentical(prepared);
        for (const [i, reason] of reasons.entries()) {
          const tp = prepared.partitions[i];
          if (!tp) continue;
          if (reason === undefined) expect(await layout(pair.standby, tp)).toEqual(await layout(pair.primary, tp));
          else {
            repeated++;
            expect(['ForeignMarker', 'OffsetMismatch', 'StandbyAhead']).toContain(reason);
            expect(await isOnlyMarkersAhead(tp)).toBe(true);
          }
        }
      });
    }
    console.info(`${repeated} of ${kills * partitions} logs got a marker twice`);
  }, 600_000);

  test('goes on after the standby was frozen and the primary was killed', async () => {
    const prepared = await pair.prepare(partitions, {}, { replayTransactions: true });
    const { topic } = prepared;
    await mirroring(prepared, async (mirror) => {
      const writing = pair.writeMix(topic, partitions, 15, 'written').then(() => 'written');
      const at = async () =>
        (await logEnds(pair.standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
      await expect.poll(at, { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(40n);
      pair.standby.freeze();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      pair.standby.thaw();
      await writing;
      await pair.primary.kill();
      await pair.primary.start();
      await finish(topic);
      await pair.catchesUp(mirror, prepared);
    });
    await pair.expectIdentical(prepared);
  }, 150_000);
});
