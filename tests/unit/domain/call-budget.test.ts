import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CallLimit, fullBudget, takeCall } from '../../../domain/call-budget.ts';

const limit: CallLimit = { calls: 600, windowMs: 300_000, reserve: 200 };

test('leaves the reserve to urgent calls', () => {
  let budget = fullBudget(limit, 0);
  const take = (urgent: boolean) => {
    const taken = takeCall(budget, limit, { urgent, atMs: 0 });
    budget = taken.budget;
    return taken;
  };
  for (let i = 0; i < 400; i++) expect(take(false).kind).toBe('taken');
  expect(take(false)).toMatchObject({ kind: 'wait', waitMs: 500 });
  for (let i = 0; i < 200; i++) expect(take(true).kind).toBe('taken');
  expect(take(true).kind).toBe('wait');
});

test('in no window more calls are made than Cloudflare allows, whatever is asked for and when', () => {
  const asks = fc.array(fc.record({ afterMs: fc.nat(2_000), urgent: fc.boolean(), times: fc.nat(40) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(asks, (steps) => {
      let budget = fullBudget(limit, 0);
      let atMs = 0;
      const made: number[] = [];
      for (const { afterMs, urgent, times } of steps) {
        atMs += afterMs;
        for (let i = 0; i < times; i++) {
          const taken = takeCall(budget, limit, { urgent, atMs });
          budget = taken.budget;
          if (taken.kind === 'taken') made.push(atMs);
        }
      }
      for (const end of made) {
        expect(made.filter((at) => at > end - limit.windowMs && at <= end).length).toBeLessThanOrEqual(1_200);
      }
    }),
    { numRuns: 30 },
  );
});
