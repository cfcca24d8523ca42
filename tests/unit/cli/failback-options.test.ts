import { expect, test } from 'vitest';
import { run } from '../../../cli/commands/failback.ts';
import type { CommandContext } from '../../../cli/context.ts';

/** Nothing of it may be touched. */
const untouched = new Proxy({} as CommandContext, {
  get: (_, name) => {
    throw new Error(`not expected: ${String(name)}`);
  },
});

test.each([
  ['--switch with --no-wait', { switch: true, wait: false }, /--no-wait/],
  ['--producers-stopped without --switch', { producersStopped: true, wait: true }, /--switch/],
] as const)('%s is refused before anything is looked at', async (_, options, message) => {
  await expect(run(untouched, { to: 'topic', ...options })).rejects.toMatchObject({
    code: 'Usage',
    exitCode: 2,
    message: expect.stringMatching(message),
  });
});
