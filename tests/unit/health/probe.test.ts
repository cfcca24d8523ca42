import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../domain/clock.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { probe } from '../../../health/probe.ts';

/** Sleeps end at once, so that every deadline has passed when the call never answers. */
const hasty: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {} };
/** Sleeps never end, but for their signal. */
const patient: Clock = {
  ...hasty,
  sleep: (_ms, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
};

describe('probe', () => {
  it('gives what the call read', async () => {
    expect(await probe(async () => 5, { clock: patient })).toEqual({ status: 'ok', latencyMs: 0, value: 5 });
  });

  it('is failed, with reason, code and hint, when the component answers badly', async () => {
    const error = new ArgusError('BucketMissing', 'no bucket', { hint: 'create it' });
    expect(await probe(() => Promise.reject(error), { clock: patient })).toEqual({
      status: 'failed',
      latencyMs: 0,
      reason: 'no bucket',
      code: 'BucketMissing',
      hint: 'create it',
    });
  });

  it('is unknown, not failed, when no answer came in time, and tells the call to stop', async () => {
    let told: AbortSignal | undefined;
    const silent = ({ signal }: { signal: AbortSignal }) => {
      told = signal;
      return new Promise<never>(() => {});
    };
    const result = await probe(silent, { clock: hasty, deadlineMs: 2_000 });
    expect(result).toMatchObject({ status: 'unknown', reason: 'no answer within 2 s', code: 'ProbeTimedOut' });
    expect(told?.aborted).toBe(true);
  });
});
