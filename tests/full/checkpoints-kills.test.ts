import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { playKills } from '../support/checkpoint-kills.ts';

const seed = process.env.ARGUS_KILLS_SEED ?? randomBytes(4).toString('hex');

test('a hundred kills of the sync, most of them amidst a copy, leave no manifest that is not whole', async () => {
  console.info(`ARGUS_KILLS_SEED=${seed}`);
  const result = await playKills({ kills: 100, seed });
  console.info(JSON.stringify(result));
  expect(result.hits).toBeGreaterThanOrEqual(50);
  expect(result.replicated).toBeGreaterThan(5);
  expect(result.removedAmidst).toBeGreaterThan(0);
});
