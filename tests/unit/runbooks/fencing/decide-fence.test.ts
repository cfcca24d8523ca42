import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WriteProbe } from '../../../../regions/kafka/write-probe.ts';
import { decideFence, type FenceSight, movedEnds, standing } from '../../../../runbooks/fencing/decide-fence.ts';

const probe = (verdict: WriteProbe['verdict'], partition = 0, broker = 1): WriteProbe => ({
  topic: 'events',
  partition,
  verdict,
  detail: verdict === 'denied' ? 'TOPIC_AUTHORIZATION_FAILED (29)' : 'CORRUPT_MESSAGE (2)',
  broker,
});

const sight = (over: Partial<FenceSight> = {}): FenceSight => ({
  brokers: [{ broker: 1, missing: 0 }],
  writes: [{ principal: 'User:ingest', probes: [probe('denied', 0), probe('denied', 1)] }],
  untried: [],
  otherWriters: [],
  superUsers: [],
  ends: [],
  ...over,
});

describe('a fence', () => {
  test('is proven when every leader refused every principal and every broker shows the rules', () => {
    expect(decideFence(sight())).toEqual({ kind: 'proven' });
  });

  test.each<[string, Partial<FenceSight>, string]>([
    [
      'one leader of several lets a principal in',
      { writes: [{ principal: 'User:ingest', probes: [probe('denied'), probe('open', 1, 2)] }] },
      'User:ingest is let in to events-1 by broker 2 (CORRUPT_MESSAGE (2))',
    ],
    [
      'a leader could not say',
      { writes: [{ principal: 'User:ingest', probes: [probe('unsure')] }] },
      'User:ingest could not be tried to events-0 by broker 1 (CORRUPT_MESSAGE (2))',
    ],
    ['a broker lags behind', { brokers: [{ broker: 3, missing: 2 }] }, "broker 3 doesn't show 2 of the rules yet"],
  ])('is open while %s', (_, over, why) => {
    expect(decideFence(sight(over))).toEqual({ kind: 'open', why: [why] });
  });

  test.each<[string, Partial<FenceSight>, string]>([
    [
      'a login is not known',
      { untried: [{ principal: 'User:job', why: 'no login' }] },
      'User:job was not tried: no login',
    ],
    ['somebody else may write', { otherWriters: ['User:x'] }, 'User:x may write by the rules, and is not fenced'],
    ['there is a super user', { superUsers: ['User:root'] }, 'User:root is a super user: no rule binds it'],
    [
      'a broker does not answer',
      {
        brokers: [
          { broker: 1, missing: 0 },
          { broker: 2, missing: 3, why: 'closed' },
        ],
      },
      "broker 2 can't be asked for its rules: closed",
    ],
  ])('is partial when %s', (_, over, why) => {
    expect(decideFence(sight(over))).toEqual({ kind: 'partial', why: [why] });
  });

  test('is never proven or partial when any leader took a write', () => {
    const verdicts = fc.constantFrom<WriteProbe['verdict']>('denied', 'open', 'unsure');
    const any = fc.record({
      writes: fc.array(fc.array(verdicts, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
      missing: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(any, ({ writes, missing }) => {
        const seen = decideFence(
          sight({
            writes: writes.map((w, i) => ({ principal: `User:${i}`, probes: w.map((v, p) => probe(v, p)) })),
            brokers: missing.map((m, broker) => ({ broker, missing: m })),
          }),
        );
        const holds = writes.flat().every((v) => v === 'denied') && missing.every((m) => m === 0);
        expect(seen.kind === 'open').toBe(!holds);
      }),
    );
  });
});

describe('log ends', () => {
  const at = (...offsets: bigint[]) => offsets.map((offset, partition) => ({ topic: 'events', partition, offset }));

  test('stand since they were first seen so', () => {
    const first = standing(undefined, at(5n, 7n), 100);
    expect(standing(first, at(5n, 7n), 900).sinceMs).toBe(100);
    expect(standing(first, at(5n, 8n), 900)).toEqual({ ends: at(5n, 8n), sinceMs: 900 });
  });

  test('that came or went have moved', () => {
    expect(movedEnds(at(5n), at(5n, 0n))).toEqual([{ topic: 'events', partition: 1, offset: 0n }]);
    expect(movedEnds(at(5n, 0n), at(5n))).toEqual([{ topic: 'events', partition: 1, offset: 0n }]);
    expect(movedEnds(at(5n, 6n), at(5n, 6n))).toEqual([]);
  });
});
