import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowance, fullBucket, refill, spend, untilOpen } from '../../../domain/token-bucket.ts';

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
