import { expect } from 'vitest';
import { layout, logEnds, type MirrorPair, messages, mirroring, theEnd } from './mirror-pair.ts';

const partitions = 3;

/** Small transactions of two producers at once, of which every third is aborted, and plain records now and then. */
async function writeSmall(pair: MirrorPair, topic: string, count: number): Promise<void> {
  const [plain, ...two] = [
    await pair.newProducer(),
    await pair.newProducer(`a-${topic}`),
    await pair.newProducer(`b-${topic}`),
  ];
  const write = async (by: typeof plain, name: string) => {
    for (let n = 0; n < count; n++) {
      const transaction = await by.transaction();
      await transaction.send({ topic, messages: messages(`${name} ${n}`, 2, n % partitions) });
      await (n % 3 ? transaction.commit() : transaction.abort());
    }
  };
  const writePlain = async () => {
    for (let n = 0; n < count / 4; n++) {
      await plain.send({ topic, messages: messages(`plain ${n}`, 1, n % partitions) });
    }
  };
  await Promise.all([...two.map((by, i) => write(by, `${i}`)), writePlain()]);
}

/**
 * Kills the standby's broker while a mirror catches up with small transactions, once `records` are there, and starts it
 * again. Then each log must be the same on both sides, or stand still by name because the broker wrote a marker twice:
 * the same up to there, and nothing but markers behind. Gives how many logs did.
 */
export async function killAmidstTransactions(
  pair: MirrorPair,
  { transactions, records }: { readonly transactions: number; readonly records: number },
): Promise<number> {
  const prepared = await pair.prepare(partitions);
  const { topic, partitions: tps } = prepared;
  await writeSmall(pair, topic, transactions);
  let stopped = 0;
  await mirroring(prepared, async (mirror) => {
    const shown = () => mirror.status().topics[topic]?.partitions ?? [];
    const copied = async () => (await logEnds(pair.standbyAdmin, tps)).reduce((sum, end) => sum + end, 0n);
    await expect.poll(copied, { timeout: 30_000, interval: 2 }).toBeGreaterThanOrEqual(BigInt(records));
    await pair.standby.kill();
    await pair.standby.start();
    const last = tps.flatMap((p) => messages(theEnd, 1, p.partition));
    await (await pair.newProducer()).send({ topic, messages: last });
    const open = async () => {
      const wanted = await logEnds(pair.primaryAdmin, tps);
      return shown().filter((p, i) => !p.stop && p.mirroredEndOffset !== wanted[i]);
    };
    await expect.poll(open, { timeout: 40_000, interval: 20 }).toEqual([]);
    const stops = shown().map((p) => p.stop);
    if (stops.every((stop) => stop === undefined)) return pair.expectIdentical(prepared);
    for (const [i, tp] of tps.entries()) {
      const [here, there] = [await layout(pair.primary, tp), await layout(pair.standby, tp)];
      const same = there.findIndex((line, n) => line !== here[n]);
      const stop = stops[i];
      if (!stop) {
        expect(there).toEqual(here);
        continue;
      }
      stopped++;
      expect(['ForeignMarker', 'OffsetMismatch', 'StandbyAhead']).toContain(stop.reason);
      const behind = there.slice(same < 0 ? there.length : same);
      for (const line of behind) expect(line).toMatch(/ (?:commit|abort)$/);
    }
  });
  return stopped;
}
