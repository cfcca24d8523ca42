import { expect, test } from 'vitest';
import { judgeJob } from '../../../../replication/checkpoints/check.ts';
import type { CheckedJob } from '../../../../replication/checkpoints/checked-job.ts';
import { checkedJob, goodContents } from './checked-sample.ts';

const codes = (over: Partial<CheckedJob>) => judgeJob(checkedJob(over)).warnings.map((w) => w.code);

test.each<[string, readonly string[] | undefined, readonly string[]]>([
  ['the topics of the state are those that are named', ['events'], []],
  ['without names nothing is compared', undefined, []],
  ['one that is read and not named', [], ['TopicNotDeclared']],
  ['one that is named and not read', ['events', 'orders'], ['TopicNotRead']],
  ['both at once', ['orders'], ['TopicNotDeclared', 'TopicNotRead']],
])('%s', (_, reads, expected) => {
  expect(codes(reads === undefined ? {} : { reads })).toEqual(expected);
});

test('a topic whose partitions no reader has yet is in the state, too', () => {
  const unassigned = [{ topic: 'orders', partition: 0, assigned: false }];
  const checkpoint = { kind: 'read', contents: { ...goodContents, unassigned } } as const;
  expect(codes({ checkpoint, reads: ['events', 'orders'] })).not.toContain('TopicNotRead');
});

test('a marker whose offset is known is told, and only the others are a reason to refuse', () => {
  const marker = (partition: number) => ({ topic: 'events', partition, offset: -3n });
  const split = { topic: 'events', partition: 0, marker: '-3', offset: '42' };
  const resolvedMarkers = { group: 'counts', atMs: 1, splits: [split] };
  const of = (...sourceOffsets: readonly ReturnType<typeof marker>[]) =>
    judgeJob(
      checkedJob({ checkpoint: { kind: 'read', contents: { ...goodContents, sourceOffsets } }, resolvedMarkers }),
    );
  expect(of(marker(0))).toMatchObject({
    verdict: 'restorable',
    notes: expect.arrayContaining(['markers in place of offsets get an offset on the replica: events-0 42 for -3']),
  });
  const { verdict, reasons } = of(marker(0), marker(1));
  expect([verdict, reasons.map((r) => r.code)]).toEqual(['refused', ['SourceOffsetUnknown']]);
  expect(reasons[0]?.message).toMatch(/^for events-1 \(-3\) the checkpoint/);
});
