import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logEnds, type MirrorPair, messages, mirroring, startMirrorPair } from '../support/mirror-pair.ts';

let pair: MirrorPair;

beforeAll(async () => {
  pair = await startMirrorPair();
});
afterAll(() => pair?.stop());

describe('the mirror of transactions', () => {
  test('goes on after the standby and the primary were killed in the middle of them', async () => {
    const prepared = await pair.prepare(2, {}, { replayTransactions: true });
    const { topic } = prepared;
    await mirroring(prepared, async (mirror) => {
      const writing = pair.writeMix(topic, 2, 20, 'written').then(() => 'written');
      const at = async () =>
        (await logEnds(pair.standbyAdmin, prepared.partitions)).reduce((sum, end) => sum + end, 0n);
      for (const atLeast of [20n, 60n]) {
        await expect.poll(at, { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(atLeast);
        await pair.standby.kill();
        await pair.standby.start();
      }
      pair.standby.freeze();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      pair.standby.thaw();
      await writing;
      await pair.primary.kill();
      await pair.primary.start();
      await (await pair.newProducer()).send({
        topic,
        messages: [...messages('the end', 1, 0), ...messages('the end', 1, 1)],
      });
      await pair.catchesUp(mirror, prepared);
    });
    await pair.expectIdentical(prepared);
  }, 150_000);
});
