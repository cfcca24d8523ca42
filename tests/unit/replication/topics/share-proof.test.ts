import { describe, expect, test } from 'vitest';
import { proveShareFrozen, type ShareView } from '../../../../replication/topics/share-proof.ts';

const at = (partition: number, offset: bigint) => ({ topic: 't', partition, offset });
const p = (partition: number) => ({ topic: 't', partition });
const member = (id: string, partition: number, more: Partial<ShareView['members'][number]> = {}) => ({
  id,
  part: { generation: 3, partitions: [p(partition)] },
  report: { drained: true, endOffsets: [at(partition, 7n)] },
  ...more,
});
const view = (more: Partial<ShareView> = {}): ShareView => ({
  partitions: [p(0), p(1)],
  settled: true,
  members: [member('a', 0), member('b', 1)],
  lost: [],
  ...more,
});
const proven = { kind: 'proven', drained: true, endOffsets: [at(0, 7n), at(1, 7n)] };
const open = (why: RegExp) => ({ kind: 'open', why: expect.stringMatching(why) });
const undrained = { report: { drained: false, endOffsets: [at(1, 5n)] } };

describe('a freeze of those who share', () => {
  test.each([
    ['holds when every member stands still under one agreement', {}, proven],
    ['is not drained when one is not', { members: [member('a', 0), member('b', 1, undrained)] }, { drained: false }],
    ['is open while they agree anew', { settled: false }, open(/agree anew/)],
    ['is open while one has no part', { members: [member('a', 0), member('b', 1, { part: undefined })] }, open(/part/)],
    [
      'is open while parts are of two agreements',
      { members: [member('a', 0), member('b', 1, { part: { generation: 2, partitions: [p(1)] } })] },
      open(/part/),
    ],
    ['is open while nobody has a partition', { members: [member('a', 0)] }, open(/nobody has t-1/)],
    [
      'is open while one says nothing',
      { members: [member('a', 0), member('b', 1, { report: undefined })] },
      open(/^b /),
    ],
    ['holds without a lost member when all are drained: its batches are old ones', { lost: ['c'] }, proven],
    [
      'is open when one was lost and not all are drained',
      { lost: ['c'], members: [member('a', 0), member('b', 1, undrained)] },
      open(/^c went/),
    ],
    ['holds without members, not drained', { members: [] }, { kind: 'proven', drained: false, endOffsets: [] }],
    ['is open without members when one was lost', { members: [], lost: ['c'] }, open(/^c went/)],
  ] as const)('%s', (_, more, expected) => {
    expect(proveShareFrozen(view(more))).toMatchObject(expected);
  });
});
