import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FetchSession, type FetchSlot, newFetchSlot } from '../../../../regions/kafka/fetch-session.ts';
import { WireReader } from '../../../../regions/kafka/wire.ts';

const limits = { maxWaitMs: 500, maxBytes: 1_000 };

/** What a request says of the session and its partitions. */
function read(request: ReturnType<FetchSession['next']>) {
  const reader = new WireReader(Buffer.concat(request.body.finish().chunks));
  for (let i = 0; i < 4; i++) reader.int32();
  reader.int8();
  const [id, epoch] = [reader.int32(), reader.int32()];
  const asked = reader.array(() => {
    const topic = reader.string();
    return reader.array(() => {
      const [partition, leaderEpoch, offset] = [reader.int32(), reader.int32(), reader.int64()];
      reader.int64();
      return { key: `${topic}-${partition}`, leaderEpoch, offset, maxBytes: reader.int32() };
    });
  });
  const forgotten = reader.array(() => {
    const topic = reader.string();
    return reader.array(() => `${topic}-${reader.int32()}`);
  });
  return { id, epoch, asked: asked.flat(), forgotten: forgotten.flat() };
}

function slotsOf(count: number): FetchSlot[] {
  return Array.from({ length: count }, (_, partition) => {
    const slot = newFetchSlot({ topic: 'events', partition }, 7);
    return { ...slot, wanted: true, maxBytes: 10 };
  });
}

const granted = { errorCode: 0, sessionId: 42 };

describe('a fetch session', () => {
  test('names all partitions first, and then only what has changed', () => {
    const slots = slotsOf(3);
    const session = new FetchSession(slots);
    const first = read(session.next(limits));
    expect([first.id, first.epoch, first.asked.map((p) => p.key)]).toEqual([
      0,
      0,
      ['events-0', 'events-1', 'events-2'],
    ]);
    expect(first.asked[0]).toEqual({ key: 'events-0', leaderEpoch: 7, offset: 0n, maxBytes: 10 });
    session.take(granted);
    expect(read(session.next(limits))).toEqual({ id: 42, epoch: 1, asked: [], forgotten: [] });
    session.take(granted);
    (slots[1] as FetchSlot).offset = 5n;
    const third = read(session.next(limits));
    expect([third.epoch, third.asked.map((p) => [p.key, p.offset])]).toEqual([2, [['events-1', 5n]]]);
  });

  test('lets the broker forget what is not wanted now, and names it again later', () => {
    const slots = slotsOf(2);
    const session = new FetchSession(slots);
    session.next(limits);
    session.take(granted);
    (slots[0] as FetchSlot).wanted = false;
    expect(read(session.next(limits))).toMatchObject({ asked: [], forgotten: ['events-0'] });
    session.take(granted);
    expect(read(session.next(limits))).toMatchObject({ asked: [], forgotten: [] });
    session.take(granted);
    (slots[0] as FetchSlot).wanted = true;
    expect(read(session.next(limits)).asked.map((p) => p.key)).toEqual(['events-0']);
  });

  test.each([70, 71])('begins anew, in full, when the broker answers %i', (errorCode) => {
    const session = new FetchSession(slotsOf(2));
    session.next(limits);
    session.take(granted);
    session.next(limits);
    expect(session.take({ errorCode, sessionId: 0 })).toBe(false);
    const again = read(session.next(limits));
    expect([again.id, again.epoch, again.asked.length]).toEqual([0, 0, 2]);
  });

  test('asks in full, in turn, where the broker keeps no session', () => {
    const session = new FetchSession(slotsOf(3));
    const order = [0, 1, 2, 3].map(() => {
      const { id, epoch, asked } = read(session.next(limits));
      session.take({ errorCode: 0, sessionId: 0 });
      return [id, epoch, ...asked.map((p) => p.key.slice(-1))].join(' ');
    });
    expect(order).toEqual(['0 0 0 1 2', '0 0 1 2 0', '0 0 2 0 1', '0 0 0 1 2']);
  });

  test('keeps the broker at what is wanted, whatever changes and however often the session is lost', () => {
    const change = fc.record({
      at: fc.nat(4),
      wanted: fc.boolean(),
      offset: fc.nat(3),
      answer: fc.constantFrom(granted, granted, { errorCode: 0, sessionId: 0 }, { errorCode: 71, sessionId: 0 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const slots = slotsOf(5);
        const session = new FetchSession(slots);
        const broker = { id: 0, epoch: 0, held: new Map<string, bigint>() };
        for (const { at, wanted, offset, answer } of changes) {
          Object.assign(slots[at] as FetchSlot, { wanted, offset: BigInt(offset) });
          const request = read(session.next(limits));
          expect([request.id, request.epoch]).toEqual([broker.id, broker.epoch]);
          if (request.id === 0) broker.held.clear();
          for (const key of request.forgotten) broker.held.delete(key);
          for (const p of request.asked) broker.held.set(p.key, p.offset);
          const expected = slots.filter((s) => s.wanted).map((s) => [`events-${s.partition}`, s.offset]);
          expect([...broker.held].sort()).toEqual(expected);
          session.take(answer);
          const kept = answer.errorCode === 0 && answer.sessionId !== 0;
          broker.epoch = kept ? broker.epoch + 1 : 0;
          broker.id = kept ? answer.sessionId : 0;
        }
      }),
    );
  });
});
