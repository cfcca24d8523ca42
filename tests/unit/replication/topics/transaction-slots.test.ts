import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../../regions/kafka/record-batch.ts';
import { newPartitionState, type PartitionState } from '../../../../replication/topics/partition-state.ts';
import { smallHole } from '../../../../replication/topics/plan-filling.ts';
import { placeholdersFor } from '../../../../replication/topics/replay-step.ts';
import { needsSlotAhead, newSlot, nextStep, slotForNew } from '../../../../replication/topics/transaction-slots.ts';
import { batchBytes } from '../../regions/kafka/batches.ts';

const tp = { topic: 'events', partition: 0 };
const batch = (fields: Parameters<typeof batchBytes>[0]) => readBatch(batchBytes({ baseOffset: 10n, ...fields }));
const openFor = (sourceProducerId: bigint | undefined, id = 'open') => ({
  ...newSlot(id),
  open: { sourceProducerId, firstOffset: 3n, sinceMs: 0 },
});
const state = (overrides: Partial<PartitionState> = {}): PartitionState => ({
  ...newPartitionState(tp),
  sendFrom: 10n,
  ...overrides,
});
const marker = (type: number) => Buffer.from([16, 0, 0, 0, 8, 0, 0, 0, type, 12, 0, 0, 0, 0, 0, 0, 0]);
const ending = { attributes: 0x30, producerId: 5n, payload: marker(1) };

describe('the next step of a partition', () => {
  test.each([
    ['sends plain records', state(), batch({ recordCount: 3 }), { kind: 'send', slot: undefined }],
    [
      'sends plain records between those of an open transaction',
      state({ slots: [openFor(5n)] }),
      batch({ producerId: 5n }),
      { kind: 'send', slot: undefined },
    ],
    [
      'begins a transaction',
      state({ slots: [openFor(4n)] }),
      batch({ attributes: 0x10, producerId: 5n }),
      { kind: 'begin' },
    ],
    [
      'sends into the open transaction of the same producer',
      state({ slots: [openFor(4n, 'x'), openFor(5n, 'y')] }),
      batch({ attributes: 0x10, producerId: 5n }),
      { kind: 'send', slot: { transactionalId: 'y' } },
    ],
    [
      'begins one again that only the log holds open',
      state({ slots: [{ ...openFor(5n), orphan: 7n }] }),
      batch({ attributes: 0x10, producerId: 5n }),
      { kind: 'begin', slot: { transactionalId: 'open' } },
    ],
    [
      'ends it as its marker says',
      state({ slots: [openFor(5n)] }),
      batch(ending),
      { kind: 'end', outcome: 'commit', slot: { transactionalId: 'open' } },
    ],
    [
      'ends one of which nothing else is there',
      state(),
      batch({ ...ending, payload: marker(0) }),
      { kind: 'end', outcome: 'abort', slot: undefined },
    ],
    ['fills up to a batch behind a hole', state({ sendFrom: 8n }), batch(ending), { kind: 'fill', to: 10n }],
    [
      'fills a batch without records',
      state(),
      batch({ lastOffsetDelta: 4, recordCount: 0 }),
      { kind: 'fill', to: 15n },
    ],
    [
      'stops at a control record that is no marker',
      state(),
      batch({ ...ending, payload: marker(4) }),
      { kind: 'stop', stop: { reason: 'ControlRecordUnknown' } },
    ],
  ])('%s', (_name, at, head, expected) => {
    expect(nextStep(at, head)).toMatchObject(expected);
  });
});

describe('a transaction that begins', () => {
  const ended = (id: string, endedAt: number) => ({ ...newSlot(id), endedAt });

  test('takes the one that stands open and empty, before a free one, before a new one', () => {
    const [busy, free, empty] = [openFor(5n, 'busy'), newSlot('free'), openFor(undefined, 'empty')];
    expect(slotForNew(state({ slots: [busy, free, empty] }), 0)).toBe(empty);
    expect(slotForNew(state({ slots: [busy, free] }), 0)).toBe(free);
    const s = state({ slots: [openFor(5n, '__argus-mirror-events-0-t0')] });
    expect(slotForNew(s, 0).transactionalId).toBe('__argus-mirror-events-0-t1');
    expect(s.slots).toHaveLength(2);
  });

  test('lets an id rest whose transaction has just ended, while few are free', () => {
    const [first, second, third] = [ended('a', 95), ended('b', 98), ended('c', 99)];
    const few = state({ slots: [first, second] });
    expect(slotForNew(few, 100).transactionalId).toBe('__argus-mirror-events-0-t0');
    expect(slotForNew(state({ slots: [first, second] }), 115)).toBe(first);
    expect(slotForNew(state({ slots: [first, newSlot('unused')] }), 100).transactionalId).toBe('unused');
    expect(slotForNew(state({ slots: [first, second, third] }), 100)).toBe(first);
    expect(slotForNew(state({ slots: [{ ...first, preparing: true }, second, third] }), 118)).toBe(second);
  });
});

describe('a hole', () => {
  test('is filled exactly, with markers alone when it is small, also when that was interrupted', () => {
    const most = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 100n }), most, (size, largest) => {
        let [left, begun, records] = [size, false, 0n];
        while (left > 0n) {
          const wanted = placeholdersFor(left, begun);
          expect(wanted).toBeLessThan(left);
          const placed = BigInt(Math.min(Number(wanted), largest));
          records += placed;
          left -= placed === 0n ? 1n : placed;
          begun = placed > 0n;
        }
        expect(left).toBe(0n);
        expect(records).toBe(size <= smallHole ? 0n : size - 1n);
      }),
    );
  });
});

describe('a transaction that is begun ahead', () => {
  const records = batch({ attributes: 0x10, producerId: 5n });
  const end = batch({ ...ending });
  test.each([
    ['when its first record is queued behind the end of another', [openFor(5n)], [end, records], true],
    ['not while its producer has one open', [openFor(5n)], [records, end], false],
    ['when another producer`s is open', [openFor(4n)], [records], true],
    ['not while a slot waits for it', [openFor(5n), openFor(undefined)], [end, records], false],
    ['not while one is being begun', [openFor(5n), { ...newSlot('x'), preparing: true }], [end, records], false],
    ['not for plain records', [openFor(4n)], [batch({ producerId: 5n })], false],
    ['not before the partition`s first one', [], [records], false],
  ])('%s', (_name, slots, queue, expected) => {
    expect(needsSlotAhead(state({ slots, queue }))).toBe(expected);
  });
});
