import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAmidstTransactions } from '../support/kill-amidst-transactions.ts';
import { logEnds, type MirrorPair, messages, mirroring, startMirrorPair, theEnd } from '../support/mirror-pair.ts';

const kills = 30;
let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(() => pair?.stop());

describe('the mirror of transactions', () => {
  test(`holds nothing wrong after the standby was killed ${kills} times in the midst of small ones`, async () => {
    let stopped = 0;
    for (let n = 0; n < kills; n++) {
      stopped += await killAmidstTransactions(pair, { transactions: 24, records: 10 + ((7 * n) % 80) });
    }
    console.info(`${stopped} of ${kills * 3} logs got a marker twice from the standby's broker`);
  }, 900_000);

  test('goes on after the standby was frozen and the primary was killed', async () => {
    const prepared = await pair.prepare(2);
    const { topic } = prepared;
    await mirroring(prepared, async (mirror) => {
      const writing = pair.writeMix(topic, 2, 20, 'written').then(() => 'written');
      const at = async () =>
        (await logEnds(pair.standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
      await expect.poll(at, { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(40n);
      pair.standby.freeze();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      pair.standby.thaw();
      await writing;
      await pair.primary.kill();
      await pair.primary.start();
      await (await pair.newProducer()).send({
        topic,
        messages: [...messages(theEnd, 1, 0), ...messages(theEnd, 1, 1)],
      });
      await pair.catchesUp(mirror, prepared);
    });
    await pair.expectIdentical(prepared);
  }, 150_000);
});
