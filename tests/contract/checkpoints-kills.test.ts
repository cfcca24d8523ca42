import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { playKills } from '../support/checkpoint-kills.ts';

const seed = process.env.ARGUS_KILLS_SEED ?? randomBytes(4).toString('hex');

test('a sync that is killed during its copies leaves no manifest that is not whole', async () => {
  console.info(`ARGUS_KILLS_SEED=${seed}`);
  const result = await playKills({ kills: 8, seed });
  console.info(JSON.stringify(result));
  expect(result.hits).toBeGreaterThanOrEqual(3);
  expect(result.verified).toBeGreaterThan(0);
});
