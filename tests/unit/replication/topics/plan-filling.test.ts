import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../../regions/kafka/record-batch.ts';
import { decideFill, holesAhead, longestOpenMs, longestPlaced } from '../../../../replication/topics/plan-filling.ts';
import { batchBytes } from '../../regions/kafka/batches.ts';

const batch = (baseOffset: bigint, span: number, recordCount = span) =>
  readBatch(batchBytes({ baseOffset, lastOffsetDelta: span - 1, recordCount }));

describe('the holes ahead', () => {
  test.each([
    ['end where the next batch begins', [batch(5n, 3)], { to: 5n, later: false, transactions: 5n, span: 8n }],
    ['end behind batches without records', [batch(0n, 3, 0), batch(3n, 2, 0), batch(5n, 1)], { to: 5n, later: false }],
    ['have more behind them when a gap follows', [batch(5n, 1), batch(7n, 1)], { to: 5n, later: true }],
    ['have more behind them when an empty batch follows', [batch(5n, 1), batch(6n, 1, 0)], { to: 5n, later: true }],
    [
      'cost a transaction for each offset where they are small, else one',
      [batch(5n, 1), batch(36n, 1), batch(39n, 1)],
      { to: 5n, later: true, transactions: 8n, span: 40n },
    ],
    ['have more behind them in a batch to be split', [batch(5n, 9, 4)], { to: 5n, later: true, transactions: 10n }],
    ['may be all that there is', [batch(0n, 9, 0)], { to: 9n, later: false, transactions: 9n }],
  ])('%s', (_name, queue, expected) => {
    expect(holesAhead(0n, queue, true)).toMatchObject(expected);
  });
});

describe('a hole', () => {
  const dense = { to: 2n, later: true, transactions: 500n, span: 1_000n };

  test.each([
    ['that is the last known one leaves nothing open', { ...dense, later: false }, undefined, 'close'],
    ['that is the last known one ends what is open', { ...dense, later: false }, 10, 'close'],
    ['with more behind it opens a transaction for them', dense, undefined, 'open'],
    ['with more behind it gets placeholders in that', dense, 10, 'place'],
    ['ends what has been open for long', dense, longestOpenMs + 1, 'close'],
    ['that is long is closed on its own', { ...dense, to: longestPlaced + 1n }, undefined, 'close'],
    ['among few is taken by markers', { ...dense, transactions: 20n }, undefined, 'close'],
    ['among few of many records is taken by markers', { ...dense, span: 30_000n }, undefined, 'close'],
    ['among few goes on with what is open', { ...dense, transactions: 20n }, 10, 'place'],
  ] as const)('%s', (_name, ahead, openForMs, expected) => {
    expect(decideFill(ahead, 0n, openForMs)).toBe(expected);
  });

  test('leaves a transaction open only while a later hole can take its marker', () => {
    const any = fc.record({ gap: fc.nat({ max: 9 }), span: fc.integer({ min: 1, max: 4 }), empty: fc.boolean() });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 120 }), (shapes) => {
        let at = 0n;
        const queue = shapes.map(({ gap, span, empty }) => {
          const made = batch(at + BigInt(gap), span, empty ? 0 : span);
          at = made.lastOffset + 1n;
          return made;
        });
        let [next, open] = [0n, false];
        for (let i = 0; i < queue.length; ) {
          const head = queue[i] as (typeof queue)[number];
          if (head.baseOffset > next || head.recordCount === 0) {
            const ahead = holesAhead(next, queue.slice(i), true);
            const decision = decideFill(ahead, next, open ? 1 : undefined);
            open = decision !== 'close';
            next = ahead.to;
          } else next = head.lastOffset + 1n;
          while ((queue[i]?.lastOffset ?? next) < next) i++;
        }
        expect(open).toBe(false);
        expect(next).toBe(at);
      }),
    );
  });
});
