import { expect, test } from 'vitest';
import { parseQuantity } from '../../../../regions/kubernetes/quantity.ts';

test.each([
  ['500m', 0.5],
  ['2', 2],
  [3, 3],
  ['.5', 0.5],
  ['1Gi', 2 ** 30],
  ['1G', 1e9],
  ['1e3', 1_000],
  ['1E', 1e18],
  ['1mi', undefined],
  ['', undefined],
  [undefined, undefined],
])('%s', (text, value) => expect(parseQuantity(text)).toBe(value));
