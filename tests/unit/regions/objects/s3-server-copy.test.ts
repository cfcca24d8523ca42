import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyRanges } from '../../../../regions/objects/s3-server-copy.ts';

test('an object up to the size of a part is copied whole', () => {
  expect(copyRanges(0, 10)).toEqual([]);
  expect(copyRanges(10, 10)).toEqual(['bytes=0-9']);
  expect(copyRanges(11, 10)).toEqual(['bytes=0-9', 'bytes=10-10']);
});

test('the parts cover the object without gap and overlap, and are never more than S3 takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 45 }), fc.integer({ min: 2 ** 28, max: 2 ** 32 }), (size, part) => {
      const ranges = copyRanges(size, part);
      const next = ranges.reduce((at, range) => {
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
        return Number(from) === at ? Number(to) + 1 : Number.NaN;
      }, 0);
      expect(next).toBe(size);
      expect(ranges.length).toBeLessThanOrEqual(10_000);
    }),
    { numRuns: 50 },
  );
});
