import { expect, test } from 'vitest';
import { renderCheckpoint } from '../../../cli/render-checkpoint.ts';
import type { CheckpointView } from '../../../replication/checkpoints/show.ts';

const view: CheckpointView = {
  uri: 's3://b/checkpoints/j/chk-4',
  kind: 'checkpoint',
  checkpointId: '4',
  flinkJobId: null,
  completedAtMs: 0,
  metadataVersion: 6,
  metadataBytes: 2_048,
  masterStates: [],
  operators: [],
  files: [],
  sourceOffsets: [{ topic: 'orders', partition: 0, offset: '12' }],
  sinkTransactions: [],
  transactionsDropped: false,
  untold: null,
  enumerators: [
    {
      operatorId: 'e1',
      version: 3,
      initialDiscoveryFinished: true,
      partitions: [
        { topic: 'orders', partition: 0, assigned: true, startingOffset: '-3', stoppingOffset: null },
        { topic: 'orders', partition: 1, assigned: false, startingOffset: '-2', stoppingOffset: null },
        { topic: 'orders', partition: 2, assigned: false, startingOffset: null, stoppingOffset: null },
        { topic: 'orders', partition: 3, assigned: true, startingOffset: '-3', stoppingOffset: null },
      ],
      unheld: [{ topic: 'orders', partition: 3 }],
    },
  ],
  sinkWriters: [
    {
      operatorId: 'w1',
      subtask: 1,
      version: 2,
      transactionalIdPrefix: 'counts',
      owned: {
        subtask: 1,
        subtasks: 2,
        ownership: 'by-subtask',
        precommitted: [{ transactionalId: 'counts-1-9', checkpointId: '4' }],
      },
    },
    { operatorId: 'w2', subtask: 0, version: 1, transactionalIdPrefix: 'other', owned: null },
  ],
  untoldStates: [{ operatorId: 'x', state: 'writers', message: 'version 9 is not known' }],
};

test('names the partitions that are not read, and what the writers own', () => {
  const lines = renderCheckpoint(view, ['s3://b/other']);
  expect(lines.slice(lines.indexOf('source offsets: 1')).join('\n')).toMatchInlineSnapshot(`
    "source offsets: 1
      orders-0  12
    sink transactions: 0
    enumerator of e1: 4 partitions, 2 not given to a reader yet
      orders-1  not read yet, begins at earliest (marker -2)
      orders-2  not read yet, begins at the job's setting
      orders-3  given to a reader, held by none
    writer of w1, subtask 1: transactional prefix "counts", ids of subtask 1 of 2 (by-subtask), pre-committed: counts-1-9
    writer of w2, subtask 0: transactional prefix "other"
    state of the writers of x can't be told: version 9 is not known
    also: s3://b/other"
  `);
});
