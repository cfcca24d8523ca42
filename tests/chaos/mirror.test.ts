import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LinkedPair, startLinkedPair } from '../support/chaos/mirror-link.ts';
import { playChaos } from '../support/chaos/play.ts';

const { ARGUS_CHAOS_KILLS, ARGUS_CHAOS_SEED, ARGUS_CHAOS_TRANSACTIONS } = process.env;
const mirrorKills = Number(ARGUS_CHAOS_KILLS ?? 200);
const seed = Number(ARGUS_CHAOS_SEED ?? randomInt(1_000_000));
const tenth = Math.ceil(mirrorKills / 10);
let pair: LinkedPair;

beforeAll(async () => {
  pair = await startLinkedPair();
});
afterAll(() => pair?.stop());

const say = (line: string) => console.error(`  seed ${seed}: ${line}`);

test(`the mirror is killed ${mirrorKills} times and the brokers ${tenth} times, under load, with links that are cut and slow`, async () => {
  const counts = { mirrorKills, brokerKills: tenth, cuts: tenth, delays: tenth, everyMs: 3_000 };
  const result = await playChaos(pair, { seed, transactions: ARGUS_CHAOS_TRANSACTIONS !== '0', say, ...counts });
  const { acknowledged, offsets, killsAtWork, ...found } = result;
  say(`${offsets} offsets compared, ${acknowledged} acknowledged records found, ${killsAtWork} kills at work`);
  expect(found).toEqual({ complaints: [], differences: [], missing: [], readOtherwise: [] });
  expect(offsets).toBeGreaterThanOrEqual(acknowledged);
  expect(killsAtWork).toBeGreaterThan(mirrorKills / 2);
});
