import { describe, expect, test } from 'vitest';
import { judgeJob } from '../../../../replication/checkpoints/check.ts';
import type { CheckpointContents } from '../../../../replication/checkpoints/check-contents.ts';
import type { CheckedJob } from '../../../../replication/checkpoints/checked-job.ts';
import { checkedJob, goodContents, knownFlink } from './checked-sample.ts';

const contents = (overrides: Partial<CheckpointContents>): Partial<CheckedJob> => ({
  checkpoint: { kind: 'read', contents: { ...goodContents, ...overrides } },
});
const flink = (...args: Parameters<typeof knownFlink>): Partial<CheckedJob> => ({ flink: knownFlink(...args) });

test('a job that has everything right is restorable by rewritten URIs', () => {
  const verdict = judgeJob(checkedJob());
  expect(verdict).toMatchObject({ job: 'counts', verdict: 'restorable', reasons: [], warnings: [] });
  expect(verdict.variants.filter((v) => v.works).map((v) => v.variant)).toEqual(['rewritten-uris']);
  expect(verdict.notes.join('\n')).toContain('1 pending transactions (counts-a)');
});

const refused: readonly (readonly [code: string, what: string, job: Partial<CheckedJob>])[] = [
  ['NoCheckpoint', 'no completed checkpoint', { checkpoint: { kind: 'none' }, flink: { kind: 'missing' } }],
  [
    'CheckpointElsewhere',
    'Flink writes elsewhere than the configured prefix',
    { checkpoint: { kind: 'none' }, flink: { ...knownFlink(), newestPath: 's3://primary/other/j/chk-3' } },
  ],
  [
    'CheckpointMetadataInvalid',
    'an unknown version',
    {
      checkpoint: {
        kind: 'unreadable',
        code: 'CheckpointMetadataInvalid',
        message: 'checkpoints/j/chk-7: metadata version 7 is not known, only 3 to 6 are (at byte 4)',
      },
    },
  ],
  ['StateOutsideBucket', 'state in another bucket', contents({ outside: ['s3://dstl/x'] })],
  ['ChangelogNeedsClaim', 'changelog switched on since', flink({ changelog: true })],
  ['StorageInMemory', "checkpoints in the JobManager's memory", flink({ storage: 'JobManagerCheckpointStorage' })],
  [
    'SourceOffsetUnknown',
    'a marker in place of an offset',
    contents({ sourceOffsets: [{ topic: 'events', partition: 1, offset: -3n }] }),
  ],
  ['NoSourceOffsets', 'no Kafka source', contents({ sourceOffsets: [], kafkaSources: 0 })],
  [
    'TransactionTimeoutRefused',
    'a time-out above what the standby allows',
    { transactions: { timeoutMs: 3_600_000, primaryLimitMs: 3_600_000, standbyLimitMs: 900_000 } },
  ],
];

test.each(refused)('refuses with %s: %s', (code, _, job) => {
  const { verdict, reasons } = judgeJob(checkedJob(job));
  expect(verdict).toBe('refused');
  expect(reasons.map((r) => r.code)).toEqual([code]);
  for (const { message, alternative } of reasons)
    expect(Math.min(message.length, alternative.length)).toBeGreaterThan(20);
});

test('refuses a job that takes no checkpoints, with or without a setting', () => {
  const known = knownFlink();
  const { checkpointing, ...none } = known.settings;
  const { intervalMs, ...savepointsOnly } = checkpointing ?? { intervalMs: 0, timeoutMs: 1 };
  for (const settings of [none, { ...none, checkpointing: savepointsOnly }]) {
    const seen = checkedJob({ flink: { ...known, settings: settings as typeof known.settings } });
    expect(judgeJob(seen).reasons.map((r) => r.code)).toEqual(['NoCheckpointing']);
  }
});

const warned: readonly (readonly [code: string, what: string, job: Partial<CheckedJob>])[] = [
  ['FlinkSilent', 'Flink does not answer', { flink: { kind: 'silent', message: 'no answer' } }],
  ['JobUnknown', 'Flink knows no such job', { flink: { kind: 'missing' } }],
  ['JobNotRunning', 'the job restarts', { flink: { ...knownFlink(), state: 'RESTARTING' } }],
  ['IntervalAboveRpo', 'the interval is as long as the objective', flink({ intervalMs: 60_000 })],
  ['AtLeastOnce', 'checkpoints at least once', flink({ mode: 'at_least_once' })],
  ['DeletedWhenEnded', 'deleted on cancellation', flink({ whenEnded: 'deleted-on-cancellation' })],
  ['DeletedWhenEnded', 'never kept', flink({ whenEnded: 'deleted' })],
  ['FewRetained', 'one checkpoint is kept', flink({}, { 'execution.checkpointing.num-retained': '1' })],
  ['EntropyInjected', 'entropy in the keys', flink({}, { 's3.entropy.key': '_x_' })],
  ['CheckpointOld', 'the newest is older than the objective', { nowMs: goodContents.completedAtMs + 60_001 }],
  [
    'PartitionNotAssigned',
    'a partition that no reader has yet',
    contents({ unassigned: [{ topic: 'events', partition: 1, assigned: false, startingOffset: -2n }] }),
  ],
  [
    'PartitionHeldByNone',
    'a partition that went to a reader that does not hold it',
    contents({ unheld: [{ topic: 'events', partition: 1 }] }),
  ],
  [
    'SourceNotVerifiable',
    'a source that holds no offsets of Kafka',
    contents({ operators: [...goodContents.operators, 'Source: files'] }),
  ],
  [
    'SinkNotVerifiable',
    'a sink without transactions of Kafka',
    contents({ operators: [...goodContents.operators, 'lake: Writer', 'lake: Committer'] }),
  ],
  [
    'TransactionTimeoutShort',
    'a time-out below interval and time-out of a checkpoint',
    { transactions: { timeoutMs: 64_999, primaryLimitMs: 900_000, standbyLimitMs: 900_000 } },
  ],
];

test.each(warned)('warns with %s: %s', (code, _, job) => {
  const { verdict, warnings } = judgeJob(checkedJob(job));
  expect(verdict).toBe('restorable-with-warnings');
  expect(warnings.map((w) => w.code)).toEqual([code]);
});

describe('notes', () => {
  const notes = (job: Partial<CheckedJob>) => {
    const { verdict, notes } = judgeJob(checkedJob(job));
    return { verdict, notes: notes.join('\n') };
  };

  test.each([
    ['unaligned', contents({ unaligned: true })],
    ['file merging', contents({ fileMerging: true })],
    [
      'savepoints are written to s3://other/sp',
      flink({}, { 'execution.checkpointing.savepoint-dir': 's3://other/sp' }),
    ],
    [
      'transaction.timeout.ms is not known',
      { transactions: { timeoutMs: undefined, primaryLimitMs: undefined, standbyLimitMs: undefined } },
    ],
  ] as const)('%s is told and changes no verdict', (text, job) => {
    expect(notes(job)).toEqual({ verdict: 'restorable', notes: expect.stringContaining(text) });
  });
});

describe('variants', () => {
  const works = (job: Partial<CheckedJob>) =>
    judgeJob(checkedJob(job))
      .variants.filter((v) => v.works)
      .map((v) => v.variant);

  const noneOpen = (overrides: Partial<CheckpointContents>) =>
    contents({ transactions: [], kafkaOperators: goodContents.operators, ...overrides });

  test('without pending transactions a native savepoint can be copied', () => {
    expect(works(noneOpen({}))).toEqual(['rewritten-uris', 'native-savepoint']);
  });

  test('a replica bucket of the same name can then be read without rewriting', () => {
    const same = { replicaBucketUri: 's3://primary' };
    expect(works({ ...same, ...noneOpen({}) })).toEqual(['rewritten-uris', 'same-uris', 'native-savepoint']);
    expect(works(same)).toEqual(['rewritten-uris']);
  });

  test('a changelog job needs a copy that is claimed, which costs time', () => {
    const { verdict, warnings } = judgeJob(
      checkedJob({ ...flink({ changelog: true }), ...contents({ changelog: true }) }),
    );
    expect([verdict, warnings.map((w) => w.code)]).toEqual(['restorable-with-warnings', ['ChangelogNeedsClaim']]);
    expect(warnings[0]?.message).toMatch(/costs a failover about [\d.]+ s \(a guess, for \d+ files and \d+ bytes\)/);
    const same = { replicaBucketUri: 's3://primary' };
    expect(works({ ...same, ...noneOpen({ changelog: true }) })).toEqual(['native-savepoint', 'copy-then-claim']);
  });

  test('state outside the bucket leaves savepoints', () => {
    expect(works(noneOpen({ outside: ['s3://other/x'] }))).toEqual(['native-savepoint']);
  });
});

test('before metadata version 5 sources and sinks are counted, since they have no names', () => {
  const unnamed = { operators: [], kafkaOperators: [], metadataVersion: 4 };
  expect(judgeJob(checkedJob(contents(unnamed))).verdict).toBe('restorable');
  const idle = { ...unnamed, kafkaSinks: 0, transactions: [] };
  expect(judgeJob(checkedJob(contents(idle))).warnings.map((w) => w.code)).toEqual(['SinkNotVerifiable']);
});
