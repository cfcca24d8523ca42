import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allowance,
  fullBucket,
  refill,
  spend,
  ThrottleGate,
  untilOpen,
} from '../../../../replication/topics/throttle.ts';

describe('a bucket', () => {
  const rate = 1_000;

  test.each([
    { spent: 0, afterMs: 0, open: 250 },
    { spent: 100, afterMs: 0, open: 150 },
    { spent: 200, afterMs: 0, open: 0 },
    { spent: 200, afterMs: 12, open: 0 },
    { spent: 200, afterMs: 13, open: 63 },
    { spent: 1_250, afterMs: 1_000, open: 0 },
    { spent: 1_250, afterMs: 1_100, open: 100 },
    { spent: 100, afterMs: 60_000, open: 250 },
  ])('of 1,000 bytes a second gives $open, $afterMs ms after $spent were taken', ({ spent, afterMs, open }) => {
    const bucket = refill(spend(fullBucket(rate, 0), spent), rate, afterMs);
    expect(allowance(bucket, rate)).toBe(open);
  });

  test('says after how long it opens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 1e9 }), (bytesPerSecond, spent) => {
        const bucket = spend(fullBucket(bytesPerSecond, 0), spent);
        const waitMs = untilOpen(bucket, bytesPerSecond);
        // Rounding errors of the binary fractions aside.
        expect(allowance(refill(bucket, bytesPerSecond, waitMs + 1), bytesPerSecond)).toBeGreaterThan(0);
        if (waitMs > 2) expect(allowance(refill(bucket, bytesPerSecond, waitMs - 2), bytesPerSecond)).toBe(0);
      }),
    );
  });

  test('lets no more through than the rate, a burst and one answer, and no less than the rate while it is used', () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 400 }), answer: fc.integer({ min: 0, max: 5_000 }) });
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000 }),
        fc.array(step, { maxLength: 60 }),
        (bytesPerSecond, steps) => {
          let bucket = fullBucket(bytesPerSecond, 0);
          let [nowMs, total, largest] = [0, 0, 0];
          for (const { waitMs, answer } of steps) {
            nowMs += waitMs;
            bucket = refill(bucket, bytesPerSecond, nowMs);
            if (allowance(bucket, bytesPerSecond) === 0) continue;
            bucket = spend(bucket, answer);
            total += answer;
            largest = Math.max(largest, answer);
            expect(total).toBeLessThanOrEqual((bytesPerSecond * (nowMs + 250)) / 1_000 + largest + 1);
          }
        },
      ),
    );
  });
});

describe('the throttle', () => {
  test('holds back a topic by its own limit, and the others not', () => {
    const gate = new ThrottleGate({ topics: { events: 1_000 } }, 0);
    gate.spend('events', 1_000, 0);
    gate.spend('orders', 1e9, 0);
    expect([gate.isOpen('events', 0), gate.isOpen('orders', 0), gate.whole(0)]).toEqual([
      false,
      true,
      Number.POSITIVE_INFINITY,
    ]);
    expect([gate.waitMs('events', 0), gate.waitMs('orders', 0)]).toEqual([813, 0]);
    expect(gate.isOpen('events', 813)).toBe(true);
  });

  test('holds back all by the limit of the whole', () => {
    const gate = new ThrottleGate({ bytesPerSecond: 1_000, topics: {} }, 0);
    gate.spend('events', 1_000, 0);
    expect([gate.whole(0), gate.isOpen('orders', 0), gate.waitMs('orders', 0)]).toEqual([0, true, 813]);
    expect(gate.whole(813)).toBe(63);
  });

  test('keeps what was spent when the limit changes, and forgets it when the limit goes', () => {
    const gate = new ThrottleGate({ bytesPerSecond: 1_000, topics: {} }, 0);
    gate.spend('events', 1_000, 0);
    gate.set({ bytesPerSecond: 10_000, topics: {} }, 0);
    expect([gate.whole(0), gate.waitMs('events', 0)]).toEqual([0, 138]);
    gate.set(undefined, 0);
    expect(gate.whole(0)).toBe(Number.POSITIVE_INFINITY);
    gate.set({ bytesPerSecond: 1_000, topics: {} }, 0);
    expect(gate.whole(0)).toBe(250);
  });
});
