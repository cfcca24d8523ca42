// Measures the choice of recovery points, each job by itself and all jointly: `node bench/checkpoints/recovery-point.ts`.
// Only the decision: what is read from the object store and the brokers for it is not in it.
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { judgePoints, type RecoveryPointView } from '../../replication/recovery-point/choose.ts';
import { chooseForJobs } from '../../replication/recovery-point/choose-for-jobs.ts';

const jobs = 500;
const checkpoints = 10;
const partitions = 12;
const files = 40;
/** A chain of jobs, each of which reads the topic that the one before it writes, is so long. */
const chain = 20;
const flinkJobId = 'a'.repeat(32);

const topicOf = (job: number) => `topic-${job}`;
const of = (topic: string, offset: bigint) =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset }));

const isLast = (job: number) => job % chain === chain - 1;
const endsOf = (topic: string, end: number) => ({
  atMs: 1,
  newerComplete: false,
  partitions: of(topic, BigInt(end)).map(({ offset, ...p }) => {
    return { ...p, endOffset: offset.toString(), stableOffset: offset.toString() };
  }),
  open: [],
});

/** What the replica and the standby's log hold of a job: ten whole checkpoints inside the mirror. */
function viewOf(job: number): RecoveryPointView {
  const root = `argus/replica/job-${job}`;
  const objects = new Map<string, { sizeBytes: number; etag: string }>();
  const candidates = Array.from({ length: checkpoints }, (_, i) => {
    const checkpointId = i + 1;
    const metadata = { key: `${root}/points/${checkpointId}/_metadata`, sizeBytes: 1, sha256: 'x' };
    objects.set(metadata.key, { sizeBytes: 1, etag: 'e' });
    const manifest: CheckpointManifest = {
      version: 1,
      job: `job-${job}`,
      flinkJobId,
      checkpointId,
      completedAtMs: checkpointId,
      committedAtMs: checkpointId,
      metadataVersion: 6,
      sourceUri: 's3://primary/x',
      replicaUri: 's3://replica/x',
      metadata,
      files: Array.from({ length: files }, (_, f) => {
        const key = `${root}/files/${f}`;
        objects.set(key, { sizeBytes: 1, etag: 'e' });
        return { key, sizeBytes: 1, sizeRule: 'exact' as const, etag: 'e' };
      }),
      sourceOffsets: of(topicOf(job), BigInt(checkpointId * 10)).map((o) => ({ ...o, offset: String(o.offset) })),
      droppedTransactions: [],
      ...(isLast(job) ? {} : { sinkEnds: endsOf(topicOf(job + 1), checkpointId * 10 + 5 - (job % 2) * 10) }),
    };
    return { manifest, metadataSha256: 'x' };
  });
  const logRanges = of(topicOf(job), 0n).map(({ topic, partition }) => ({
    topic,
    partition,
    logStartOffset: 0n,
    logEndOffset: 1_000n,
  }));
  return { candidates, objects, logRanges };
}

/** Judges every checkpoint, then solves: every second writer's output ends half a checkpoint before what its reader has read. */
function choose(views: readonly RecoveryPointView[]): number {
  const judged = views.map((view, job) => {
    return { job: `job-${job}`, writes: isLast(job) ? [] : [topicOf(job + 1)], points: [...judgePoints(view)] };
  });
  const choices = [...chooseForJobs(judged).values()];
  return choices.reduce((sum, { points }) => sum + points.filter(({ reasons }) => reasons.length > 0).length, 0);
}

const views = Array.from({ length: jobs }, (_, job) => viewOf(job));
const times: number[] = [];
let rejected = 0;
const cpu = process.cpuUsage();
for (let run = 0; run < 7; run++) {
  const from = performance.now();
  rejected = choose(views);
  times.push(performance.now() - from);
}
const { user, system } = process.cpuUsage(cpu);
const [least = 0, median = 0, most = 0] = [0, 3, 6].map((i) => [...times].sort((a, b) => a - b)[i]);
console.log(
  `recovery point over ${jobs} jobs × ${checkpoints} checkpoints (${partitions} partitions, ${files} files each, chains of ${chain}; ${rejected} refused jointly): median ${median.toFixed(0)} ms, ${least.toFixed(0)} to ${most.toFixed(0)} ms, ${((user + system) / 7_000).toFixed(0)} ms CPU (must reach 2,000 ms)`,
);
