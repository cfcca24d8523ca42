import { describe, expect, test } from 'vitest';
import { expectedSequence, ownEpochStop } from '../../../../replication/topics/standby-producers.ts';

const own = { producerId: 7n, producerEpoch: 2 };
const shown = (fields: object = {}) => [
  { producerId: 7n, producerEpoch: 2, coordinatorEpoch: -1, lastSequence: 4, transactionStart: -1n, ...fields },
];

describe('what a partition knows of the mirror`s producer', () => {
  test.each([
    ['the sequence behind the last', shown(), 5],
    ['0 behind the largest', shown({ lastSequence: 2 ** 31 - 1 }), 0],
    ['any when only a marker of it is known', shown({ lastSequence: -1 }), undefined],
    ['any when it knows nothing', [], undefined],
    ['any when it knows another producer', shown({ producerId: 8n }), undefined],
  ])('makes it expect %s', (_name, producers, expected) => {
    expect(expectedSequence(producers, own)).toBe(expected);
  });

  test('tells by a higher epoch that the mirror was shut out', () => {
    expect(ownEpochStop(shown({ producerEpoch: 3 }), own)?.reason).toBe('Fenced');
    expect(ownEpochStop(shown(), own)).toBeUndefined();
    expect(ownEpochStop([], own)).toBeUndefined();
  });
});
