import { expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from '../../../domain/byte-size.ts';

test.each([
  ['4096', 4_096],
  ['4096B', 4_096],
  ['500KB', 500_000],
  ['10MB', 10_000_000],
  ['50MiB', 52_428_800],
  ['1.5 gb', 1_500_000_000],
  ['0', undefined],
  ['-1', undefined],
  ['10Mbit', undefined],
  ['fast', undefined],
  ['', undefined],
  ['99999999999GB', undefined],
])('reads %s as %s bytes', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each([
  [999, '999 B'],
  [50_000_000, '50 MB'],
  [52_428_800, '52.4 MB'],
  [1_500_000_000, '1.5 GB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
});
