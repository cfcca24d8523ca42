import { expect, test } from 'vitest';
import type { CommandContext } from '../../../../cli/context.ts';
import { runCheck } from '../../../../cli/doctor/checks.ts';
import { wallClock } from '../../../../daemon/wall-clock.ts';

test('a check whose time is over may take back what it made before the connections are closed', async () => {
  const context = { signal: new AbortController().signal, clock: wallClock } as CommandContext;
  let made = true;
  const run = ({ signal, clock }: CommandContext) =>
    clock.sleep(60_000, signal).catch(async (error: unknown) => {
      await clock.sleep(20);
      made = false;
      throw error;
    }) as Promise<never>;
  const outcome = await runCheck({ check: 'buckets', tidyMs: 10_000, run }, context, 5);
  expect(outcome.findings).toMatchObject([{ code: 'CheckTimedOut' }]);
  expect(made).toBe(false);
});
