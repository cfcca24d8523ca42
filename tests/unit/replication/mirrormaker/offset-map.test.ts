import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logPieces } from '../../../../replication/mirrormaker/log-pieces.ts';
import {
  type OffsetSync,
  rangesToSee,
  type TranslationView,
  translateOffset,
} from '../../../../replication/mirrormaker/offset-map.ts';

const syncs = (...pairs: [number, number][]): OffsetSync[] =>
  pairs.map(([upstream, downstream]) => ({ upstream: BigInt(upstream), downstream: BigInt(downstream) }));

/** Plain batches of records over [from, to). */
const plain = (from: number, to: number) => [
  {
    baseOffset: BigInt(from),
    lastOffset: BigInt(to - 1),
    recordCount: to - from,
    transactional: false,
    control: false,
  },
];
const whole = (sourceTo: number, copyTo: number) => ({
  source: logPieces(plain(0, sourceTo), 'source', 0n, BigInt(sourceTo)),
  copy: logPieces(plain(0, copyTo), 'copy', 0n, BigInt(copyTo)),
});

describe('translating an offset by MirrorMaker’s syncs', () => {
  const cases: [string, number, OffsetSync[], Partial<TranslationView>, number | string][] = [
    ['takes a sync at the very offset', 7, syncs([7, 3]), {}, 3],
    ['goes on behind the last sync', 8, syncs([7, 3]), {}, 4],
    ['refuses what lies further behind the last sync', 9, syncs([7, 3]), {}, 'NotSyncedYet'],
    ['refuses without a sync', 7, [], {}, 'NoSync'],
    ['refuses what lies before the first sync', 6, syncs([7, 3]), {}, 'BeforeFirstSync'],
    ['needs no look at the logs where the standby has nothing between', 9, syncs([7, 3], [12, 4]), {}, 4],
    ['refuses between two syncs without a look at the logs', 9, syncs([7, 7], [12, 12]), {}, 'Unproven'],
    ['counts between two syncs', 9, syncs([7, 7], [12, 12]), { seen: whole(20, 20) }, 9],
    [
      'refuses a start before a delivery that came twice',
      7,
      syncs([7, 7], [9, 12]),
      { seen: whole(20, 20) },
      'Redelivered',
    ],
    ['refuses a start before a visible rewind', 5, syncs([5, 5], [9, 6], [8, 7]), {}, 'Redelivered'],
    ['takes the last of several deliveries', 9, syncs([9, 9], [9, 12], [10, 13]), {}, 12],
    ['refuses when the standby is shorter than the syncs say', 7, syncs([7, 100]), {}, 'PastStandbyEnd'],
    ['forgets syncs of a standby log that was made anew', 7, syncs([7, 90], [12, 3], [13, 4]), {}, 'BeforeFirstSync'],
    [
      'refuses what the standby has deleted',
      7,
      syncs([7, 3]),
      { standby: { logStartOffset: 4n, logEndOffset: 9n } },
      'BelowStandbyStart',
    ],
  ];
  test.each(cases)('%s', (_, offset, list, view, expected) => {
    const answer = translateOffset(BigInt(offset), {
      syncs: list,
      standby: { logStartOffset: 0n, logEndOffset: 50n },
      ...view,
    });
    if (typeof expected === 'number') expect(answer).toEqual({ kind: 'exact', offset: BigInt(expected) });
    else expect(answer).toMatchObject({ kind: 'refused', code: expected });
  });

  test('refuses inside a transaction of the source, whose outcome decides what was copied', () => {
    const transaction = plain(7, 11).map((b) => ({ ...b, transactional: true }));
    const marker = plain(11, 12).map((b) => ({ ...b, transactional: true, control: true }));
    const source = logPieces([...plain(0, 7), ...transaction, ...marker, ...plain(12, 20)], 'source', 0n, 20n);
    const seen = { ...whole(20, 20), source };
    const view = { syncs: syncs([6, 6], [14, 13], [16, 15]), standby: { logStartOffset: 0n, logEndOffset: 50n }, seen };
    expect(translateOffset(9n, view)).toMatchObject({ code: 'Unproven' });
    expect(translateOffset(15n, view)).toEqual({ kind: 'exact', offset: 14n });
  });
});

/** A source's offset holds a record, a hole or a marker. */
type Slot = 'record' | 'hole' | 'marker';

/**
 * What MirrorMaker makes of it: it reads in order, writes in order, now and then begins again further back, puts a
 * marker of its own between, and gets only some of its syncs out.
 */
function simulate(slots: readonly Slot[], acts: readonly number[], ownMarkers: boolean) {
  const standby: (bigint | undefined)[] = [];
  const list: OffsetSync[] = [];
  let next = 0;
  for (const act of acts) {
    if (act % 16 === 0) next = Math.max(0, next - ((act >> 4) % 6));
    if (ownMarkers && act % 5 === 0) standby.push(undefined);
    while (next < slots.length && slots[next] !== 'record') next++;
    if (next >= slots.length) break;
    if (act % 3 !== 0) list.push({ upstream: BigInt(next), downstream: BigInt(standby.length) });
    standby.push(BigInt(next++));
  }
  return { standby, list };
}

const slot = (offset: number, control: boolean, transactional: boolean) => ({
  baseOffset: BigInt(offset),
  lastOffset: BigInt(offset),
  recordCount: 1,
  control,
  transactional,
});

test('what is exact is right: each record from there on once, none before, up to the last sync', () => {
  let exact = 0;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<Slot>('record', 'record', 'record', 'record', 'record', 'hole', 'marker'), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      fc.boolean(),
      fc.nat(45),
      (slots, acts, ownMarkers, look, wanted) => {
        const { standby, list } = simulate(slots, acts, ownMarkers);
        const source = slots.flatMap((s, i) => (s === 'hole' ? [] : [slot(i, s === 'marker', s === 'marker')]));
        const copy = standby.map((upstream, i) => slot(i, upstream === undefined, ownMarkers));
        const ranges = rangesToSee(BigInt(wanted), list);
        const seen =
          look && ranges
            ? {
                seen: {
                  source: logPieces(source, 'source', 0n, BigInt(slots.length)),
                  copy: logPieces(copy, 'copy', 0n, BigInt(standby.length)),
                },
              }
            : {};
        const end = BigInt(standby.length);
        const answer = translateOffset(BigInt(wanted), {
          syncs: list,
          standby: { logStartOffset: 0n, logEndOffset: end },
          ...seen,
        });
        if (answer.kind === 'refused') return;
        exact++;
        expect(answer.offset).toBeLessThanOrEqual(end);
        const lastSync = list.at(-1) as OffsetSync;
        const read = standby.slice(Number(answer.offset), Number(lastSync.downstream) + 1);
        const due = slots.flatMap((s, i) =>
          s === 'record' && i >= wanted && i <= Number(lastSync.upstream) ? [BigInt(i)] : [],
        );
        expect(read.filter((u) => u !== undefined)).toEqual(due);
      },
    ),
    { numRuns: 8_000 },
  );
  // The property would be empty if nearly everything were refused.
  expect(exact).toBeGreaterThan(300);
});
