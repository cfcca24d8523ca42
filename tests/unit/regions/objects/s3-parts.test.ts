import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBudget } from '../../../../regions/objects/byte-budget.ts';
import { partSize, partSizeBehind } from '../../../../regions/objects/part-sizes.ts';
import { xmlText } from '../../../../regions/objects/s3-xml.ts';

const MIB = 1 << 20;

describe('the size of parts', () => {
  test.each([
    { size: 201 * MIB, wanted: undefined, part: 16 * MIB },
    { size: 201 * MIB, wanted: 64 * MIB, part: 64 * MIB },
    { size: 201 * MIB, wanted: MIB, part: 5 * MIB },
    { size: 400_000 * MIB, wanted: undefined, part: 40 * MIB },
    { size: 2_000 * MIB, wanted: 128 * MIB, part: 128 * MIB },
    { size: 2_000 * MIB, wanted: 512 * MIB, part: 16 * MIB },
    { size: 2_000_000 * MIB, wanted: 512 * MIB, part: 200 * MIB },
  ])('of $size bytes, where $wanted is wanted, is $part', ({ size, wanted, part }) => {
    expect(partSize(size, wanted)).toBe(part);
  });

  test('never makes more parts than S3 takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 * 2 ** 40 }), (size) => {
        expect(Math.ceil(size / partSize(size))).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});

describe('the size of parts behind an ETag', () => {
  test.each([
    { size: 128 * MIB, etag: 'e'.repeat(32), part: undefined },
    { size: 128 * MIB, etag: `${'e'.repeat(32)}-1`, part: undefined },
    { size: 128 * MIB, etag: `${'e'.repeat(32)}-16`, part: 8 * MIB },
    { size: 128 * MIB, etag: `${'e'.repeat(32)}-2`, part: 64 * MIB },
    { size: 300 * MIB + 1, etag: `${'e'.repeat(32)}-61`, part: 5 * MIB },
    { size: 300 * MIB, etag: `${'e'.repeat(32)}-7`, part: 43 * MIB },
    { size: 10 * MIB, etag: `${'e'.repeat(32)}-9`, part: undefined },
  ])('$size bytes in $etag: $part', ({ size, etag, part }) => {
    expect(partSizeBehind(size, etag)).toBe(part);
  });

  test('gives as many parts as the ETag tells, or nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 10_000 }), (size, parts) => {
        const part = partSizeBehind(size, `x-${parts}`);
        if (part !== undefined) expect(Math.ceil(size / part)).toBe(parts);
      }),
    );
  });
});

test('a budget is never exceeded, everybody gets his turn, and one that is too large has it for himself', async () => {
  const budget = new ByteBudget(10);
  let [used, most, done] = [0, 0, 0];
  const work = async (bytes: number) => {
    await budget.take(bytes);
    used += Math.min(bytes, 10);
    most = Math.max(most, used);
    await Promise.resolve();
    used -= Math.min(bytes, 10);
    budget.giveBack(bytes);
    done++;
  };
  await Promise.all([3, 3, 3, 25, 1, 10, 4].map(work));
  expect({ most: most <= 10, used, done }).toEqual({ most: true, used: 0, done: 7 });
});

test('text of an XML answer is what was meant', () => {
  expect(xmlText('<a><ETag>&quot;x&#34;&#x41;&amp;lt;</ETag></a>', 'ETag')).toBe('"x"A&lt;');
  expect(xmlText('<a/>', 'ETag')).toBeUndefined();
});
