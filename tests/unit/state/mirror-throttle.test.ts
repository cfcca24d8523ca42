import { describe, expect, test } from 'vitest';
import { mirrorSection } from '../../../domain/mirror-config.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import {
  changeMirrorThrottle,
  type MirrorThrottle,
  readMirrorThrottle,
  throttleInForce,
} from '../../../state/mirror-throttle.ts';

const set = (bytesPerSecond: number | null) => ({ bytesPerSecond, by: 'me@here', atMs: 1 });
const { throttle: configured } = mirrorSection.parse({
  throttle: { bytesPerSecond: '50MB', topics: { events: 1_000, orders: '2KB' } },
});

describe('the throttle in force', () => {
  test.each<{ name: string; set: MirrorThrottle; expected: object }>([
    {
      name: 'is what the configuration says',
      set: { topics: {} },
      expected: { bytesPerSecond: 50_000_000, topics: { events: 1_000, orders: 2_000 } },
    },
    {
      name: 'is what a person has set instead, topic by topic',
      set: { all: set(7), topics: { events: set(8), bills: set(9) } },
      expected: { bytesPerSecond: 7, topics: { events: 8, orders: 2_000, bills: 9 } },
    },
    {
      name: 'is nothing where a person has switched it off',
      set: { all: set(null), topics: { events: set(null) } },
      expected: { topics: { orders: 2_000 } },
    },
  ])('$name', ({ set: wanted, expected }) => {
    expect(throttleInForce(configured, wanted)).toEqual(expected);
  });

  test('is none when nobody wants one', () => {
    expect(throttleInForce(mirrorSection.parse({}).throttle, { topics: {} })).toEqual({ topics: {} });
  });
});

test('what is set is kept in the state, also when two set something at once', async () => {
  const store = memoryObjectStore('state');
  await Promise.all([
    changeMirrorThrottle(store, (t) => ({ ...t, all: set(5) })),
    changeMirrorThrottle(store, (t) => ({ ...t, topics: { ...t.topics, events: set(null) } })),
  ]);
  expect(await readMirrorThrottle(store)).toEqual({ all: set(5), topics: { events: set(null) } });
});

test.each([{ bytesPerSecond: 0 }, { bytesPerSecond: 'fast' }, { topics: { 'a b': 1 } }, { perSecond: 1 }])(
  'a wrong throttle %j in the configuration is refused',
  (throttle) => {
    expect(mirrorSection.safeParse({ throttle }).success).toBe(false);
  },
);
