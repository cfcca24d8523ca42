import { expect, test } from 'vitest';
import { afterLook, type Observation, seenKey } from '../../../domain/observation.ts';

const look = (atMs: number, status: Observation['status']): Observation => ({
  observer: 'outside',
  probe: 'kafka',
  region: 'blue',
  atMs,
  status,
  latencyMs: 1,
});

test('a status counts from its first look, the last good look is kept', () => {
  const first = afterLook(undefined, look(1_000, 'ok'));
  const failed = afterLook(first, look(2_000, 'failed'));
  const still = afterLook(failed, look(3_000, 'failed'));
  const unknown = afterLook(still, look(4_000, 'unknown'));
  expect([first, failed, still, unknown].map(({ sinceMs, lastOkAtMs }) => [sinceMs, lastOkAtMs])).toEqual([
    [1_000, 1_000],
    [2_000, 1_000],
    [2_000, 1_000],
    [4_000, 1_000],
  ]);
});

test('what was never good has no last good look', () => {
  expect(afterLook(undefined, look(1_000, 'failed'))).not.toHaveProperty('lastOkAtMs');
});

test('looks at two regions are apart', () => {
  expect(seenKey({ probe: 'job', region: 'blue', subject: 'counts' })).not.toBe(
    seenKey({ probe: 'job', region: 'green', subject: 'counts' }),
  );
});
