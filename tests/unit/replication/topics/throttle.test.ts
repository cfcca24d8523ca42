import { describe, expect, test } from 'vitest';
import { ThrottleGate } from '../../../../replication/topics/throttle.ts';

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
