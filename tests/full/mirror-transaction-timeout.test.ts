import { afterAll, beforeAll, expect, test } from 'vitest';
import { logEnds, type MirrorPair, messages, mirroring, startMirrorPair } from '../support/mirror-pair.ts';

let pair: MirrorPair;

beforeAll(async () => {
  const limits = {
    'transaction.max.timeout.ms': '60000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  };
  pair = await startMirrorPair({ standby: limits });
});
afterAll(() => pair?.stop());

test('the mirror stops where the standby has ended a transaction on its own, after an outage longer than its limit', async () => {
  const prepared = await pair.prepare(1);
  const { topic, partitions } = prepared;
  const open = await (await pair.newProducer(`open-${topic}`)).transaction();
  await open.send({ topic, messages: messages('open', 3) });
  await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
  await open.send({ topic, messages: messages('still open', 2) });
  await open.commit();
  const end = async () => (await logEnds(pair.standbyAdmin, partitions))[0];
  // The ABORT of the standby's coordinator takes an offset that the source gives to a record.
  await expect.poll(end, { timeout: 120_000, interval: 500 }).toBe(4n);
  await mirroring(prepared, async (mirror) => {
    const stop = () => mirror.status().topics[topic]?.partitions[0]?.stop?.reason;
    await expect.poll(stop, { timeout: 30_000 }).toMatch(/^(TransactionLost|ForeignMarker)$/);
  });
  expect(await end()).toBe(4n);
});
