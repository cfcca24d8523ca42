import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CollectedRecords } from '../../../../drills/compare/collected-records.ts';
import { compareRecords, type OutputCounts, type ProducedRecords } from '../../../../drills/compare/compare-records.ts';

/** Records as `[key, content]`; `-1` is no key. */
type Pair = readonly [key: number, content: number];

function list(pairs: readonly Pair[], partition = 0, from = 0): CollectedRecords {
  return {
    partition,
    keys: pairs.map(([key]) => key),
    contents: pairs.map(([, content]) => content),
    offsets: pairs.map((_, i) => from + i),
  };
}

function produced(
  expected: readonly Pair[],
  further: readonly Pair[] = [],
  maybe: readonly Pair[] = [],
): ProducedRecords {
  return { partition: 0, maybe: list(maybe, 0, 0), expected: list(expected, 0, 100), further: list(further, 0, 200) };
}

const compare = (own: ProducedRecords, drill: readonly Pair[], closed = true, by: 'key' | 'set' = 'key') =>
  compareRecords([own], [list(drill)], { by, closed });
const differences = ({ missing, unexpected, differing }: OutputCounts) => missing + unexpected + differing;

describe('the records of a key', () => {
  const abc: readonly Pair[] = [
    [1, 10],
    [1, 11],
    [1, 12],
  ];
  test.each<[string, ProducedRecords, readonly Pair[], boolean, Partial<OutputCounts>]>([
    ['are the same', produced(abc), abc, true, { records: 3 }],
    ['lack one', produced(abc), [abc[0]!, abc[2]!], true, { records: 2, missing: 1 }],
    ['lack the last', produced(abc), abc.slice(0, 2), true, { records: 2, missing: 1 }],
    ['have one twice', produced(abc), [abc[0]!, ...abc], true, { records: 3, unexpected: 1 }],
    ['have the last twice', produced(abc), [...abc, abc[2]!], true, { records: 3, unexpected: 1 }],
    ['have another', produced(abc), [abc[0]!, [1, 99], abc[2]!], true, { records: 2, differing: 1 }],
    ['go on as production does', produced(abc, [[1, 13]]), [...abc, [1, 13]], true, { records: 4 }],
    ['have not got as far', produced(abc, [[1, 13]]), abc, true, { records: 3 }],
    ['go on otherwise', produced(abc, [[1, 13]]), [...abc, [1, 14]], true, { records: 3, differing: 1 }],
    [
      'lack the last before what is further',
      produced(abc, [
        [1, 13],
        [1, 14],
      ]),
      [...abc.slice(0, 2), [1, 13], [1, 14]],
      true,
      { records: 4, missing: 1 },
    ],
    ['go on past all that is known', produced(abc), [...abc, [1, 14]], false, { records: 3, beyond: 1 }],
    ['go on past all that there can be', produced(abc), [...abc, [1, 14]], true, { records: 3, unexpected: 1 }],
    [
      'begin with some of those before',
      produced(
        abc,
        [],
        [
          [1, 8],
          [1, 9],
        ],
      ),
      [[1, 9], ...abc],
      true,
      { records: 4 },
    ],
    [
      'begin with others before',
      produced(
        abc,
        [],
        [
          [1, 8],
          [1, 9],
        ],
      ),
      [[1, 8], ...abc],
      true,
      { records: 3, unexpected: 1 },
    ],
  ])('%s', (_, own, drill, closed, counts) => {
    const none = { records: 0, missing: 0, unexpected: 0, differing: 0, beyond: 0 };
    expect(compare(own, drill, closed)).toMatchObject({ ...none, ...counts });
  });

  test('say where the first difference is, by production’s offsets', () => {
    expect(compare(produced(abc), [abc[0]!, [1, 99], [1, 98]]).first).toEqual({
      kind: 'differing',
      partition: 0,
      produced: 101,
      drilled: 1,
    });
  });
});

test('records without a key may come in any order and partition', () => {
  const own = produced([
    [-1, 1],
    [-1, 2],
    [-1, 2],
  ]);
  const drill = [
    list([[-1, 2]], 0),
    list(
      [
        [-1, 2],
        [-1, 1],
      ],
      1,
    ),
  ];
  expect(compareRecords([own], drill, { by: 'key', closed: true })).toMatchObject({
    records: 3,
    unexpected: 0,
    missing: 0,
  });
});

/** A job's output: for each key its records in order, interleaved at random, cut in four at random. */
const anyOutput = fc
  .record({
    keys: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }),
    cuts: fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)),
    closed: fc.boolean(),
  })
  .map(({ keys, cuts, closed }) => {
    const counts = new Map<number, number>();
    const all = keys.map((key): Pair => {
      const n = (counts.get(key) ?? 0) + 1;
      counts.set(key, n);
      return [key, key * 1_000 + n];
    });
    const [a, b, c] = cuts.map((cut) => Math.min(cut, all.length)).sort((x, y) => x - y) as [number, number, number];
    return { all, before: 0, from: a, until: b, end: c, closed };
  });

/** The drill's run of the same input: keys keep their order, all else may be interleaved otherwise. */
function shuffled(pairs: readonly Pair[], seed: number): Pair[] {
  const lanes = [...Map.groupBy(pairs, ([key]) => key).values()].map((lane) => [...lane]);
  const out: Pair[] = [];
  let state = seed;
  while (lanes.some((lane) => lane.length > 0)) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const full = lanes.filter((lane) => lane.length > 0);
    out.push(full[state % full.length]?.shift() as Pair);
  }
  return out;
}

describe('a job’s output', () => {
  test('always passes where the job is right, however far it got', () => {
    fc.assert(
      fc.property(anyOutput, fc.nat(), ({ all, from, until, end, closed }, seed) => {
        const own = produced(all.slice(from, until), all.slice(until), []);
        const counts = compare(own, shuffled(all.slice(from, end), seed), closed);
        expect(differences(counts)).toBe(0);
        expect(counts.records).toBe(end - from);
        expect(differences(compare(own, shuffled(all.slice(from, end), seed), closed, 'set'))).toBe(0);
      }),
    );
  });

  test('passes with any of the records before, where nobody knows which belong to the point', () => {
    fc.assert(
      fc.property(anyOutput, fc.nat(), fc.nat(40), ({ all, from, until, end, closed }, seed, more) => {
        const begin = Math.max(0, from - more);
        const own = produced(all.slice(from, until), all.slice(until), all.slice(0, from));
        expect(differences(compare(own, shuffled(all.slice(begin, end), seed), closed))).toBe(0);
      }),
    );
  });

  test('never passes with a record dropped, doubled, changed or, within its key, in another place', () => {
    fc.assert(
      fc.property(
        anyOutput,
        fc.nat(),
        fc.nat(),
        fc.constantFrom('drop', 'double', 'change', 'swap'),
        ({ all, from, until, end }, seed, pick, how) => {
          const own = produced(all.slice(from, until), all.slice(until));
          const drill = shuffled(all.slice(from, end), seed);
          const required = drill.flatMap(([key, content], i) =>
            all.slice(from, until).some(([k, c]) => k === key && c === content) ? [i] : [],
          );
          fc.pre(required.length > 0);
          const at = required[pick % required.length] as number;
          const [key, content] = drill[at] as Pair;
          const next = drill.findIndex(([k], i) => i > at && k === key);
          if (how === 'drop') drill.splice(at, 1);
          else if (how === 'double') drill.splice(at, 0, [key, content]);
          else if (how === 'change') drill[at] = [key, content + 500];
          else {
            fc.pre(next > 0);
            [drill[at], drill[next]] = [drill[next] as Pair, drill[at] as Pair];
          }
          expect(differences(compare(own, drill, true))).toBeGreaterThan(0);
          if (how !== 'swap') expect(differences(compare(own, drill, true, 'set'))).toBeGreaterThan(0);
        },
      ),
      { numRuns: 400 },
    );
  });
});
