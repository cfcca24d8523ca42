import type { FlinkJobSettings } from '../../../../regions/flink/flink-jobs.ts';
import type { CheckpointContents } from '../../../../replication/checkpoints/check-contents.ts';
import type { CheckedJob } from '../../../../replication/checkpoints/checked-job.ts';

/** A job that has everything right, for tests that change one thing. */
export const goodContents: CheckpointContents = {
  checkpointId: 7,
  metadataVersion: 6,
  completedAtMs: 995_000,
  files: 4,
  bytes: 4_000,
  absoluteFiles: 3,
  outside: [],
  changelog: false,
  fileMerging: false,
  unaligned: false,
  sourceOffsets: [{ topic: 'events', partition: 0, offset: 100n }],
  transactions: [{ transactionalId: 'counts-a-0-3', producerId: '9', producerEpoch: 0 }],
  operators: ['Source: events', 'counter', 'counts: Writer', 'counts: Committer'],
  kafkaOperators: ['Source: events', 'counts: Committer'],
  kafkaSources: 1,
  kafkaSinks: 1,
  unassigned: [],
  unheld: [],
};

const goodCheckpointing = {
  mode: 'exactly_once',
  intervalMs: 5_000,
  timeoutMs: 60_000,
  whenEnded: 'kept',
  stateBackend: 'EmbeddedRocksDBStateBackend',
  storage: 'FileSystemCheckpointStorage',
  unaligned: false,
  changelog: false,
} as const;

export function knownFlink(
  checkpointing: Partial<NonNullable<FlinkJobSettings['checkpointing']>> = {},
  cluster: Record<string, string> = {},
): Extract<CheckedJob['flink'], { kind: 'known' }> {
  return {
    kind: 'known',
    state: 'RUNNING',
    newestPath: 's3://primary/checkpoints/j/chk-7',
    settings: {
      flinkVersion: '2.2.1',
      checkpointing: { ...goodCheckpointing, ...checkpointing },
      cluster: new Map(Object.entries({ 'execution.checkpointing.num-retained': '3', ...cluster })),
      operators: ['Source: events', 'counter', 'counts: Writer', 'counts: Committer'],
    },
  };
}

export function checkedJob(overrides: Partial<CheckedJob> = {}): CheckedJob {
  return {
    job: 'counts',
    prefix: 'checkpoints',
    bucketUri: 's3://primary',
    replicaBucketUri: 's3://replica',
    rpoMs: 60_000,
    nowMs: 1_000_000,
    flink: knownFlink(),
    checkpoint: { kind: 'read', contents: goodContents },
    transactions: { timeoutMs: 600_000, primaryLimitMs: 900_000, standbyLimitMs: 900_000 },
    ...overrides,
  };
}
