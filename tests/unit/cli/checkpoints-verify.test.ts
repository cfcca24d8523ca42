import { expect, test } from 'vitest';
import { unverifiedJobs } from '../../../cli/commands/checkpoints-verify.ts';

const checkpoint = (job: string, state: 'same' | 'differs' | 'gone') => ({
  job,
  flinkJobId: 'f'.repeat(32),
  checkpointId: 1,
  state,
  files: 1,
  bytes: 1,
  unprovenFiles: 0,
  differences: [],
});
const replica = (job: string, points = 2) => ({ job, points: Array.from({ length: points }, () => ({})) });

test('a job all of whose checkpoints went meanwhile was not verified, and neither was one without any', () => {
  const checkpoints = [
    checkpoint('gone', 'gone'),
    checkpoint('gone', 'gone'),
    checkpoint('partly', 'gone'),
    checkpoint('partly', 'same'),
    checkpoint('wrong', 'differs'),
  ];
  const replicas = [
    replica('gone'),
    replica('partly'),
    replica('wrong'),
    replica('empty', 0),
    replica('not asked for'),
  ];
  expect(unverifiedJobs(replicas, { checkpoints })).toEqual(['gone', 'empty']);
});
