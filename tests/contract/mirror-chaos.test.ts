import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LinkedPair, startLinkedPair } from '../support/chaos/mirror-link.ts';
import { playChaos } from '../support/chaos/play.ts';

const seed = Number(process.env.ARGUS_CHAOS_SEED ?? randomInt(1_000_000));
let pair: LinkedPair;

beforeAll(async () => {
  pair = await startLinkedPair();
});
afterAll(() => pair?.stop());

// The same with 200 kills: `npm run test:chaos`.
test('kills of the mirror and of brokers, cuts and delays of links leave both logs the same', async () => {
  const lines: string[] = [];
  const counts = { mirrorKills: 12, brokerKills: 2, cuts: 2, delays: 2, everyMs: 1_500 };
  const result = await playChaos(pair, { seed, transactions: false, say: (line) => lines.push(line), ...counts });
  const { acknowledged, offsets, killsAtWork, ...found } = result;
  const how = `ARGUS_CHAOS_SEED=${seed}\n${lines.join('\n')}`;
  expect(found, how).toEqual({ complaints: [], differences: [], missing: [], readOtherwise: [] });
  expect(offsets, how).toBeGreaterThanOrEqual(acknowledged);
  expect(killsAtWork, how).toBeGreaterThan(2);
}, 240_000);
