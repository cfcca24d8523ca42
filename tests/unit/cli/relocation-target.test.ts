import { expect, test } from 'vitest';
import { restoreCommands } from '../../../cli/commands/checkpoints-relocate.ts';
import { relocationTarget } from '../../../cli/relocation-target.ts';

const buckets = { primary: 's3://primary', standby: 's3://replica' };

test.each([
  ['s3://replica/try/one/', { kind: 'standby', prefix: 'try/one/', uri: 's3://replica/try/one' }],
  ['s3a://replica/try', { kind: 'standby', prefix: 'try/', uri: 's3://replica/try' }],
  ['./out', { kind: 'folder', path: '/home/me/out', uri: 'file:///home/me/out' }],
  ['/data/out/', { kind: 'folder', path: '/data/out', uri: 'file:///data/out' }],
  ['file:///data/out', { kind: 'folder', path: '/data/out', uri: 'file:///data/out' }],
])('relocates to %s', (to, target) => {
  expect(relocationTarget(to, buckets, '/home/me')).toEqual(target);
});

test.each([
  ['s3://primary/try', 'PrimaryIsNeverWritten', 3],
  ['s3://primary', 'PrimaryIsNeverWritten', 3],
  ['s3://replica', 'TargetIsTheReplica', 3],
  ['s3://replica/argus', 'TargetIsTheReplica', 3],
  ['s3://replica/argus/replica/counts/points', 'TargetIsTheReplica', 3],
  ['s3://elsewhere/try', 'TargetUnknown', 2],
  ['gs://replica/try', 'TargetUnknown', 2],
  ['file://host/try', 'TargetUnknown', 2],
  ['./with space', 'TargetUnknown', 2],
])('refuses %s: %s', (to, code, exitCode) => {
  expect(() => relocationTarget(to, buckets, '/home/me')).toThrow(expect.objectContaining({ code, exitCode }));
});

test('where both buckets have one name, the standby’s is meant', () => {
  const same = { primary: 's3://one', standby: 's3://one' };
  expect(relocationTarget('s3://one/try', same, '/')).toMatchObject({ kind: 'standby' });
});

test('the commands have the job’s values, quoted for a shell', () => {
  const submit = { jar: 'a.jar', entryClass: 'com.Job', parallelism: 2, args: { here: ['--x', "it's"] } };
  const { cli, rest } = restoreCommands({ uri: 's3://r/x', claimMode: 'CLAIM' }, { submit }, 'here');
  expect(cli).toBe(`flink run -d -s s3://r/x -restoreMode CLAIM -c com.Job -p 2 a.jar --x 'it'\\''s'`);
  expect(rest).toContain('"savepointPath":"s3://r/x","claimMode":"CLAIM"');
  expect(restoreCommands({ uri: 'u', claimMode: 'NO_CLAIM' }, undefined, 'here').cli).toMatch(/'<jar>' '<arguments>'$/);
});
