import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody, encodeBody, type RecordBody } from '../../../../regions/kafka/record-body.ts';
import type { WantedRange } from '../../../../replication/orphans/divergence.ts';
import {
  fromLine,
  keptBody,
  type OrphanLine,
  type OrphanRecord,
  readKept,
  sameOrphan,
  toLine,
} from '../../../../replication/orphans/orphan-record.ts';
import { stateOf } from '../../../../replication/orphans/read-range.ts';
import { isReplayable, mayBeGone, replayedBody, replayedOffset } from '../../../../replication/orphans/replay.ts';
import { compareKept, HeldRuns, remaining } from '../../../../replication/orphans/rescue.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));
const maybe = fc.option(bytes, { nil: null });
const anyBody: fc.Arbitrary<RecordBody> = fc.record({
  key: maybe,
  value: maybe,
  headers: fc.array(fc.record({ name: bytes, value: maybe }), { maxLength: 4 }),
});
const anyOrphan: fc.Arbitrary<OrphanRecord> = fc.record({
  offset: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  timestampMs: fc.bigInt({ min: -1n, max: 2n ** 52n }),
  reason: fc.constantFrom('orphan', 'older'),
  transaction: fc.constantFrom('none', 'committed', 'aborted', 'open'),
  body: anyBody.map(encodeBody),
});
const tp = { topic: 'events', partition: 3 };
const origin = { region: 'mumbai', promotion: 7 };

describe('a record', () => {
  test('is the same after it was encoded and decoded', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        expect(decodeBody(encodeBody(body))).toEqual(body);
      }),
    );
  });

  test('of any bytes is read, or refused as malformed', () => {
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          decodeBody(body);
        } catch (error) {
          expect(error).toMatchObject({ code: 'KafkaMalformed' });
        }
      }),
    );
  });

  test('is the same after it was kept, with where it comes from', () => {
    fc.assert(
      fc.property(anyOrphan, (record) => {
        const kept = readKept(keptBody(record, tp, origin), record.timestampMs);
        expect(kept.origin).toEqual(origin);
        expect(sameOrphan(kept, record)).toBe(true);
      }),
    );
  });

  test('is the same after it was exported as JSON', () => {
    fc.assert(
      fc.property(anyOrphan, (record) => {
        const line = JSON.parse(JSON.stringify(toLine(record, tp))) as OrphanLine;
        expect(sameOrphan(fromLine(line), record)).toBe(true);
      }),
    );
  });

  test('that was replayed is known again, and only by its own promotion', () => {
    fc.assert(
      fc.property(anyOrphan, (record) => {
        const body = replayedBody(record, origin);
        expect(replayedOffset(body, origin)).toBe(record.offset);
        expect(replayedOffset(body, { ...origin, promotion: 8 })).toBeUndefined();
      }),
    );
    expect(replayedOffset(encodeBody({ key: null, value: Buffer.from('argus.replayed'), headers: [] }), origin)).toBe(
      undefined,
    );
  });

  test('is replayed only when readers would have seen it, and the active side never had it', () => {
    expect(isReplayable({ reason: 'orphan', transaction: 'none' })).toBe(true);
    expect(isReplayable({ reason: 'orphan', transaction: 'committed' })).toBe(true);
    expect(isReplayable({ reason: 'orphan', transaction: 'aborted' })).toBe(false);
    expect(isReplayable({ reason: 'orphan', transaction: 'open' })).toBe(false);
    expect(isReplayable({ reason: 'older', transaction: 'none' })).toBe(false);
  });
});

test('the first marker of its producer behind a batch says what became of its transaction', () => {
  const markers = new Map([
    [
      5n,
      [
        { offset: 10n, outcome: 'abort' as const },
        { offset: 20n, outcome: 'commit' as const },
      ],
    ],
  ]);
  const batch = (lastOffset: bigint, producerId = 5n) => ({ transactional: true, producerId, lastOffset });
  expect(stateOf(batch(9n), markers)).toBe('aborted');
  expect(stateOf(batch(11n), markers)).toBe('committed');
  expect(stateOf(batch(21n), markers)).toBe('open');
  expect(stateOf(batch(9n, 6n), markers)).toBe('open');
  expect(stateOf({ ...batch(9n), transactional: false }, markers)).toBe('none');
});

const orphan = (offset: number, reason: OrphanRecord['reason'] = 'orphan'): OrphanRecord => ({
  offset: BigInt(offset),
  timestampMs: 1n,
  reason,
  transaction: 'none',
  body: encodeBody({ key: null, value: Buffer.from(String(offset)), headers: [] }),
});
const range = (from: number, to: number, reason: WantedRange['reason'] = 'orphan'): WantedRange => ({
  ...tp,
  from: BigInt(from),
  to: BigInt(to),
  reason,
});

/** A source with a record at each of some offsets. */
const source = (offsets: readonly number[]) =>
  async function* (wanted: WantedRange) {
    for (const o of offsets) if (BigInt(o) >= wanted.from && BigInt(o) < wanted.to) yield orphan(o, wanted.reason);
  };

async function* given(records: readonly OrphanRecord[]) {
  yield* records;
}

describe('a rescue that was cut off', () => {
  test('goes on behind what is kept, in each of its ranges', () => {
    const held = new HeldRuns();
    for (const record of [orphan(0, 'older'), orphan(3, 'older'), orphan(100)]) held.add(record);
    expect(remaining([range(0, 10, 'older'), range(100, 130)], held.runs())).toEqual([
      range(4, 10, 'older'),
      range(101, 130),
    ]);
  });

  test('anywhere, any number of times, keeps every record once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 6 }),
        async (some, olderTo, lives) => {
          const offsets = some.sort((a, b) => a - b);
          const wanted = [range(0, olderTo, 'older'), range(40, 81)].filter((w) => w.from < w.to);
          const kept: OrphanRecord[] = [];
          for (const life of [...lives, Number.POSITIVE_INFINITY]) {
            const held = new HeldRuns();
            for (const record of kept) held.add(record);
            let left = life;
            for (const piece of remaining(wanted, held.runs())) {
              for await (const record of source(offsets)(piece)) if (left-- > 0) kept.push(record);
            }
          }
          const verdict = await compareKept(tp, wanted, source(offsets), () => given(kept));
          expect(verdict.kind).toBe('verified');
          expect(new Set(kept.map((k) => `${k.reason} ${k.offset}`)).size).toBe(kept.length);
        },
      ),
    );
  });
});

describe('what is kept is compared with the original, and', () => {
  const wanted = [range(0, 3)];
  const compare = (kept: readonly OrphanRecord[]) => compareKept(tp, wanted, source([0, 1, 2]), () => given(kept));

  test('counts when all is there', async () => {
    expect(await compare([orphan(0), orphan(1), orphan(2), orphan(9), orphan(1, 'older')])).toMatchObject({
      kind: 'verified',
      partition: { orphans: 3n, older: 0n, aborted: 0n },
    });
  });

  const damaged = { ...orphan(1), body: orphan(2).body };
  test.each([
    ['one is missing', [orphan(0), orphan(2)], 1n],
    ['the last is missing', [orphan(0), orphan(1)], 2n],
    ['one is there twice', [orphan(0), orphan(1), orphan(1), orphan(2)], 2n],
    ['the last is there twice', [orphan(0), orphan(1), orphan(2), orphan(2)], 2n],
    ['one is another', [orphan(0), damaged, orphan(2)], 1n],
    ['one has another time', [orphan(0), { ...orphan(1), timestampMs: 2n }, orphan(2)], 1n],
  ])('tells where %s', async (_name, kept, at) => {
    expect(await compare(kept)).toMatchObject({ kind: 'differs', at });
  });
});

test.each([
  ['has all since', 'delete', 100n, false],
  ['dropped what came before the replay', 'delete', 99n, false],
  ['dropped some since', 'delete', 101n, true],
  ['is compacted', 'compact,delete', 0n, true],
  ['does not tell its policy', undefined, 100n, false],
])('whether replayed records may be gone from a log that %s', (_, policy, logStartOffset, gone) => {
  const from = [{ partition: 3, offset: 100n }];
  expect(mayBeGone(from, [{ partition: 3, logStartOffset }], policy)).toBe(gone);
});
