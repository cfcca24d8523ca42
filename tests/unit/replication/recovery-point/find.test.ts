import { expect, test } from 'vitest';
import { describeRefusal, findRecoveryPoints, noPointSentence } from '../../../../replication/recovery-point/find.ts';
import { endingAt, replica } from './point-sample.ts';

async function find(ids: readonly number[], end: bigint) {
  const from = { objects: await replica(ids), kafka: endingAt(end), topics: ['events'] };
  return (await findRecoveryPoints(from, [{ job: 'counts', writes: [] }])).get('counts')!;
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test('looks back past any number of newer checkpoints that lie beyond a mirror that stands still', async () => {
  const found = await find(upTo(70), 35n);
  expect(found).toMatchObject({ kind: 'chosen', point: { checkpointId: 3 } });
  expect(found.rejected.map((r) => r.checkpointId)).toEqual(upTo(70).slice(3).reverse());
});

test('chooses the newest also when older ones were copied after it', async () => {
  const found = await find([40, ...upTo(39).reverse()], 1_000n);
  expect(found).toMatchObject({ kind: 'chosen', point: { checkpointId: 40 }, rejected: [] });
});

test('finds none when all are refused, each with its reason', async () => {
  const found = await find(upTo(12), 5n);
  expect(found.kind).toBe('none');
  expect(found.rejected).toHaveLength(12);
  expect(describeRefusal(found.rejected[0]!)).toBe('events-0: the job would go on at 120, the mirror ends at 5');
});

test('a refusal with many reasons is told by its first, and their number', () => {
  const reason = { code: 'FileMissing' as const, message: 'a is not on the replica' };
  expect(describeRefusal({ reasons: [reason, reason, reason] })).toBe('a is not on the replica (and 2 more)');
  expect(noPointSentence('counts', [])).toBe('the replica holds no complete checkpoint of counts');
});
