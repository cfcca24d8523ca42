import { expect, test } from 'vitest';
import { patternExpression, selectNames } from '../../../domain/name-patterns.ts';

test.each([
  ['orders', 'orders', true],
  ['orders', 'orders-eu', false],
  ['orders-*', 'orders-eu', true],
  ['orders.?', 'orders.1', true],
  ['orders.?', 'orders-1', false],
  ['/^orders-(eu|us)$/', 'orders-us', true],
  ['/eu/', 'orders-eu-1', true],
  ['/', '/', true],
])('%s on %s: %s', (pattern, name, matches) => {
  expect(patternExpression(pattern).test(name)).toBe(matches);
});

test('chooses what is included and not excluded, never internal names, and tells what matched nothing', () => {
  const names = ['orders-eu', 'orders-test', 'payments', '__consumer_offsets', '_schemas', 'argus.orders-eu'];
  const patterns = { include: ['orders-*', '*sumer*', '_schemas', 'absent', 'argus.*'], exclude: ['*-test'] };
  expect(selectNames(names, patterns)).toEqual({
    names: ['_schemas', 'orders-eu'],
    unmatched: ['*sumer*', 'absent', 'argus.*'],
  });
});
