import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { type ProviderCallOptions, providerCalls, waitBeforeRetry } from '../../../../regions/dns/provider-calls.ts';

class Answer extends Error {
  readonly retryAfterMs: number | undefined;
  readonly passes: boolean;
  constructor(passes: boolean, retryAfterMs?: number) {
    super('answer');
    this.passes = passes;
    this.retryAfterMs = retryAfterMs;
  }
}

const calls = (over: Partial<ProviderCallOptions> = {}) =>
  providerCalls({
    label: 'provider',
    deadlineMs: 2_000,
    limit: { calls: 100, windowMs: 1_000, reserve: 10 },
    toError: (error, what) =>
      new ArgusError('DnsUnreachable', what, { cause: error, retryable: (error as Answer).passes }),
    retryAfterMs: (error) => (error as Answer).retryAfterMs,
    random: () => 0,
    ...over,
  });

const failing = (times: number, answer: Answer) => {
  let made = 0;
  return {
    made: () => made,
    async call() {
      if (made++ < times) throw answer;
      return 'done';
    },
  };
};

describe('a call to a provider', () => {
  test('is repeated a few times when what stopped it may pass', async () => {
    const twice = failing(2, new Answer(true));
    await expect(calls().run('look', {}, twice.call)).resolves.toBe('done');
    const always = failing(99, new Answer(true));
    await expect(calls({ deadlineMs: 10_000 }).run('look', {}, always.call)).rejects.toMatchObject({
      code: 'DnsUnreachable',
    });
    expect(always.made()).toBe(4);
  });

  test('is made once when nothing will change', async () => {
    const refused = failing(1, new Answer(false));
    await expect(calls().run('look', {}, refused.call)).rejects.toMatchObject({ code: 'DnsUnreachable' });
    expect(refused.made()).toBe(1);
  });

  test('ends at once when it is to wait beyond its deadline, and looks are not sent until then', async () => {
    const blocked = failing(1, new Answer(true, 300_000));
    const shared = calls();
    const fromMs = performance.now();
    await expect(shared.run('look', {}, blocked.call)).rejects.toMatchObject({ retryable: true });
    expect(performance.now() - fromMs).toBeLessThan(1_000);
    const spends = async ({ spend }: { spend(): Promise<void> }) => {
      await spend();
      return 'sent';
    };
    await expect(shared.run('look', {}, spends)).rejects.toThrow(/leaves no room for another 300 s/);
    await expect(shared.run('move', { urgent: true }, spends)).resolves.toBe('sent');
  });

  test('waits at least as long as it is asked to, else twice as long each time', () => {
    expect(waitBeforeRetry(0, 1_500, 0.5)).toBe(1_500);
    expect([0, 1, 2].map((n) => waitBeforeRetry(n, undefined, 1))).toEqual([250, 500, 1_000]);
    expect([0, 1, 2].map((n) => waitBeforeRetry(n, undefined, 0))).toEqual([125, 250, 500]);
  });

  test('ends by its deadline though the client never answers', async () => {
    const hanging = calls({ deadlineMs: 50 }).run('look', {}, () => new Promise(() => undefined));
    await expect(hanging).rejects.toThrow(/no answer in 50 ms/);
  });
});
