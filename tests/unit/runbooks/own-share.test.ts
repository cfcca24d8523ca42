import { expect, test } from 'vitest';
import type { StepResult } from '../../../runbooks/engine/run.ts';
import { waiting } from '../../../runbooks/engine/waiting.ts';
import { ownShare } from '../../../runbooks/own-share.ts';
import { virtualClock } from '../state/virtual-clock.ts';

test('calls and pauses are waiting, but for the last pause, whose end nobody has waited for', async () => {
  const clock = virtualClock();
  const others = waiting(clock);
  const { signal } = new AbortController();
  await others.call(() => clock.sleep(100));
  expect(others.total()).toBe(100);
  await others.pause(250, signal);
  expect(others.total()).toBe(100);
  await others.call(() => clock.sleep(10));
  await others.pause(250, signal);
  expect(others.total()).toBe(360);
  await expect(others.call(() => clock.sleep(5).then(() => Promise.reject(new Error('no'))))).rejects.toThrow('no');
  expect(others.total()).toBe(365);
});

const step = (id: string, startedAtMs: number, ms: number, over: Partial<StepResult> = {}): StepResult => ({
  id,
  title: id,
  status: 'done',
  startedAtMs,
  ms,
  ...over,
});

test('the share is what is left of the time from the start to the last end', () => {
  const steps = [
    step('a', 1_010, 500, { waitsFor: 'Flink', waitedMs: 400 }),
    step('b', 1_520, 300),
    step('c', 1_830, 170, { waitsFor: 'DNS', waitedMs: 0 }),
    { id: 'd', title: 'd', status: 'not-run' as const, ms: 0 },
  ];
  expect(ownShare({ startedAtMs: 1_000, steps })).toEqual({
    totalMs: 1_000,
    ownMs: 600,
    waited: [{ step: 'a', for: 'Flink', ms: 400 }],
  });
});

test('nobody knows it of a run whose steps never began', () => {
  expect(ownShare({ startedAtMs: 1, steps: [] })).toBeUndefined();
  expect(ownShare({ steps: [step('a', 1, 1)] })).toBeUndefined();
});
