import { describe, expect, test } from 'vitest';
import {
  abortAll,
  type CommitWishes,
  decideOpenTransactions,
  type OpenTransaction,
  type PreCommitted,
  preCommittedBy,
} from '../../../../replication/topics/decide-transactions.ts';

const open = (over: Partial<OpenTransaction> = {}): OpenTransaction => ({
  topic: 'output',
  partition: 0,
  owner: 'mirror',
  transactionalId: '__argus-mirror-output-0-t0',
  producerId: 1_000n,
  producerEpoch: 4,
  firstOffset: 10n,
  sinceMs: 1,
  sourceProducerId: 7n,
  sourceProducerEpoch: 2,
  ...over,
});
const pending = (producerId: string, producerEpoch: number): PreCommitted => ({
  transactions: [{ transactionalId: 'sink-0-7', producerId, producerEpoch }],
  short: new Set(),
});
/** The same, with the partition looked at after the checkpoint: what was open there, and by whom. */
const seen = (producerId: string, firstOffset: string): PreCommitted => ({
  ...pending(producerId, 2),
  sinkEnds: {
    atMs: 1,
    newerComplete: false,
    partitions: [{ topic: 'output', partition: 0, endOffset: '30', stableOffset: '10' }],
    open: [
      { topic: 'output', partition: 0, producerId: '7', producerEpoch: 2, firstOffset },
      { topic: 'output', partition: 1, producerId: '7', producerEpoch: 2, firstOffset: '10' },
    ],
  },
});

describe('an open transaction of the mirror', () => {
  test.each<[string, Partial<OpenTransaction>, Partial<CommitWishes>, string, string]>([
    ['is aborted when nobody speaks for it', {}, {}, 'abort', 'default'],
    ['is committed by the source`s producer id', {}, { asked: ['7'] }, 'commit', 'asked'],
    ['is committed by its own id', {}, { asked: ['__argus-mirror-output-0-t0'] }, 'commit', 'asked'],
    ['is not committed by the standby`s producer id', {}, { asked: ['1000'] }, 'abort', 'default'],
    [
      'is committed where the sink pre-committed it',
      {},
      { preCommitted: [pending('7', 2)] },
      'commit',
      'pre-committed',
    ],
    ['is aborted where another epoch was pre-committed', {}, { preCommitted: [pending('7', 1)] }, 'abort', 'default'],
    ['is aborted where another producer pre-committed', {}, { preCommitted: [pending('8', 2)] }, 'abort', 'default'],
    [
      'is committed by the producer id alone where the epoch is not known',
      { sourceProducerEpoch: undefined },
      { preCommitted: [pending('7', 1)] },
      'commit',
      'pre-committed',
    ],
    [
      'is aborted where nobody knows whose it is',
      { sourceProducerId: undefined, sourceProducerEpoch: undefined },
      { asked: ['7'], preCommitted: [pending('7', 2)] },
      'abort',
      'default',
    ],
    [
      'is aborted where it only fills holes, whoever asks',
      { transactionalId: '__argus-mirror-output-0-fill' },
      { asked: ['__argus-mirror-output-0-fill', '7'], preCommitted: [pending('7', 2)] },
      'abort',
      'default',
    ],
    [
      'is told by its first offset where the sinks were looked at, whoever knows its producer',
      { sourceProducerId: undefined, sourceProducerEpoch: undefined },
      { preCommitted: [seen('7', '10')] },
      'commit',
      'pre-committed',
    ],
    [
      'is aborted where the same producer has begun it after the sinks were looked at',
      {},
      { preCommitted: [seen('7', '6')] },
      'abort',
      'default',
    ],
    [
      'is aborted where it was open then and the checkpoint does not name it',
      {},
      { preCommitted: [seen('8', '10')] },
      'abort',
      'default',
    ],
    [
      'is aborted where the standby lacks the end of what was pre-committed',
      {},
      { preCommitted: [{ ...seen('7', '10'), short: new Set(['output-0']) }] },
      'abort',
      'default',
    ],
    [
      'counts a person`s word before the recovery point',
      {},
      { asked: ['7'], preCommitted: [pending('7', 2)] },
      'commit',
      'asked',
    ],
  ])('%s', (_, over, wishes, outcome, because) => {
    const transaction = open(over);
    const decided = decideOpenTransactions([transaction], { ...abortAll, ...wishes });
    expect(decided.own).toEqual([{ transaction, outcome, because }]);
  });

  test('is committed in every partition that its producer wrote to', () => {
    const both = [open(), open({ partition: 1, transactionalId: '__argus-mirror-output-1-t0', producerId: 1_001n })];
    const { own } = decideOpenTransactions(both, { ...abortAll, asked: ['7'] });
    expect(own.map((d) => d.outcome)).toEqual(['commit', 'commit']);
  });
});

test('a transaction of somebody else is never decided, and a wish that matches none is told', () => {
  const foreign = open({ owner: 'foreign', transactionalId: undefined });
  expect(decideOpenTransactions([foreign], { ...abortAll, asked: ['7', 'x'] })).toEqual({
    own: [],
    foreign: [foreign],
    unmatched: ['7', 'x'],
  });
});

test('output is whole where the mirror got as far as the sinks, and nowhere when nobody saw how far that was', () => {
  const point = (ends?: PreCommitted['sinkEnds']) => ({ droppedTransactions: [], sinkEnds: ends });
  const at = (offset: bigint) => [
    { topic: 'output', partition: 0, offset },
    { topic: 'input', partition: 0, offset: 0n },
  ];
  const ends = seen('7', '10').sinkEnds;
  expect(preCommittedBy(point(ends), ['output'], at(30n)).short).toEqual(new Set());
  expect(preCommittedBy(point(ends), ['output'], at(29n)).short).toEqual(new Set(['output-0']));
  expect(preCommittedBy(point(), ['output'], at(30n)).short).toEqual(new Set(['output-0']));
  expect(preCommittedBy(point(), [], at(30n)).short).toEqual(new Set());
});
