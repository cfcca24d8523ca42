import { expect, test } from 'vitest';
import { untilUnblocked } from '../../../cli/switch-back.ts';
import { virtualClock } from '../state/virtual-clock.ts';

const blocked = { code: 'MirrorLagging', message: 'it lags', hint: 'wait' };

/** A command's surroundings, and a plan that is blocked so many times. */
function during(times: number) {
  const told: string[] = [];
  let looks = 0;
  const context = {
    clock: virtualClock(),
    signal: new AbortController().signal,
    tell: (t: string) => void told.push(t),
  };
  const plan = async () => ({ plan: { n: ++looks, blockers: looks > times ? [] : [blocked] } });
  const done = untilUnblocked(context, plan as never) as unknown as ReturnType<typeof plan>;
  return { told, done };
}

test('what blocks a switchover back may pass within a minute, and is told once', async () => {
  const { done, told } = during(5);
  expect((await done).plan.n).toBe(6);
  expect(told).toEqual(['    waiting: it lags']);
});

test('what goes on to block it is its refusal', async () => {
  await expect(during(1_000).done).rejects.toMatchObject({ ...blocked, exitCode: 3 });
});
