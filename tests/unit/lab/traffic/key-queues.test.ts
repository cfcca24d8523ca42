import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabEvent } from '../../../../lab/ingest/event.ts';
import { KeyQueues } from '../../../../lab/traffic/key-queues.ts';

const ids = (events: readonly LabEvent[]) => events.map((event) => event.id);

describe('the queues of the traffic client', () => {
  it('let the keys take turns, with numbers that grow by one', () => {
    const queues = new KeyQueues('r', 2);
    queues.create(3, 100);
    expect(queues.take(10, 0)).toEqual([
      { id: 'r.0.1', key: 'r-0000', seq: 1 },
      { id: 'r.1.1', key: 'r-0001', seq: 1 },
      { id: 'r.0.2', key: 'r-0000', seq: 2 },
    ]);
  });

  it('give out nothing of a key that is in flight, until it is released', () => {
    const queues = new KeyQueues('r', 2);
    queues.create(4, 100);
    const first = queues.take(1, 0);
    expect(ids(queues.take(10, 0))).toEqual(['r.1.1', 'r.1.2']);
    queues.release(first);
    expect(ids(queues.take(10, 0))).toEqual(['r.0.2']);
  });

  it('forget what could not be sent in time, and count it', () => {
    const queues = new KeyQueues('r', 1);
    queues.create(2, 100);
    queues.create(1, 200);
    expect(ids(queues.take(10, 100))).toEqual(['r.0.3']);
    expect(queues.forgotten).toBe(2);
    queues.create(5, 300);
    queues.expire(300);
    expect([queues.waiting, queues.forgotten]).toEqual([0, 7]);
  });

  it('make one last event for every key', () => {
    const queues = new KeyQueues('r', 3);
    queues.createForEveryKey(100);
    expect(new Set(queues.take(10, 0).map((event) => event.key)).size).toBe(3);
  });

  it('never have a key in two requests, and never go back in its numbers', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('create' as const), count: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ kind: fc.constant('release' as const), count: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queues = new KeyQueues('r', 4);
        const flying: LabEvent[][] = [];
        const last = new Map<string, number>();
        steps.forEach(({ kind, count }, now) => {
          if (kind === 'create') queues.create(count, now + 20);
          else if (kind === 'release') queues.release(flying.splice(count, 1)[0] ?? []);
          else {
            const taken = queues.take(count, now);
            expect(taken.length).toBeLessThanOrEqual(count);
            for (const { key, seq } of taken) {
              expect(flying.flat().some((other) => other.key === key)).toBe(false);
              expect(seq).toBeGreaterThan(last.get(key) ?? 0);
              last.set(key, seq);
            }
            flying.push(taken);
          }
        });
      }),
    );
  });
});
