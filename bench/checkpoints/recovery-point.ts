import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { LogRange } from '../../domain/offsets.ts';
import { decodeManifest, encodeManifest } from '../../replication/checkpoints/manifest.ts';
import { judgePoints, type RecoveryPointView } from '../../replication/recovery-point/choose.ts';
import { chooseForJobs } from '../../replication/recovery-point/choose-for-jobs.ts';
import { spread } from '../mirror/statistics.ts';

const checkpoints = 10;
const partitions = 12;
/** Of one checkpoint, and how many of them are new in it: incremental, RocksDB, a parallelism of about ten. */
const files = 200;
const newFiles = 20;
/** A chain of jobs, each of which reads the topic that the one before it writes, is so long. */
const chain = 20;
const flinkJobId = 'a'.repeat(32);

const topicOf = (job: number) => `topic-${job}`;
const writesOf = (job: number) => (job % chain === chain - 1 ? [] : [topicOf(job + 1)]);
const ofEach = <T>(make: (partition: number) => T) => Array.from({ length: partitions }, (_, n) => make(n));

/** A manifest as it comes from the store: no string of it is shared, or was looked up before. */
function manifestOf(job: number, checkpointId: number): CheckpointManifest {
  const root = `argus/replica/job-${job}`;
  // Every second writer's output ends half a checkpoint before what its reader has read: those can't go together.
  const end = String(checkpointId * 10 + 5 - (job % 2) * 10);
  const written: CheckpointManifest = {
    version: 1,
    job: `job-${job}`,
    flinkJobId,
    checkpointId,
    completedAtMs: checkpointId,
    committedAtMs: checkpointId,
    metadataVersion: 6,
    sourceUri: 's3://primary/x',
    replicaUri: 's3://replica/x',
    metadata: { key: `${root}/points/${flinkJobId}-${checkpointId}/_metadata`, sizeBytes: 1, sha256: 'x' },
    files: Array.from({ length: files }, (_, f) => {
      const n = checkpointId * newFiles + f;
      const key = `${root}/files/checkpoints/${flinkJobId}/shared/${n}-7a04-4414-9359-26d99ccaa635`;
      return { key, sizeBytes: n, sizeRule: 'exact', etag: `etag ${n}` };
    }),
    sourceOffsets: ofEach((partition) => ({ topic: topicOf(job), partition, offset: String(checkpointId * 10) })),
    droppedTransactions: ofEach((n) => ({ transactionalId: `${job}-${n}-1`, producerId: `${n}`, producerEpoch: 0 })),
    sinkEnds: {
      atMs: 1,
      newerComplete: false,
      partitions: writesOf(job).flatMap((topic) =>
        ofEach((partition) => ({ topic, partition, endOffset: end, stableOffset: end })),
      ),
      open: [],
    },
  };
  const read = decodeManifest(encodeManifest(written));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

/** Whole checkpoints of a job inside the mirror. `logRanges`: of all topics, as a failover has them. */
function viewOf(job: number, logRanges: readonly LogRange[]): RecoveryPointView {
  const objects = new Map<string, { sizeBytes: number; etag: string }>();
  const candidates = Array.from({ length: checkpoints }, (_, i) => {
    const manifest = manifestOf(job, i + 1);
    objects.set(Buffer.from(manifest.metadata.key).toString(), { sizeBytes: 1, etag: 'e' });
    for (const { key, sizeBytes, etag } of manifest.files) {
      objects.set(Buffer.from(key).toString(), { sizeBytes, etag });
    }
    return { manifest, metadataSha256: 'x' };
  });
  return { candidates, objects, logRanges, sinks: { writes: writesOf(job), acceptOutputGap: false } };
}

/** Judges every checkpoint by itself, then chooses for all jobs together. */
function choose(views: readonly RecoveryPointView[]): { readonly refused: number; readonly chosen: number } {
  const choices = chooseForJobs(
    views.map((view, job) => ({ job: `job-${job}`, writes: writesOf(job), points: [...judgePoints(view)] })),
  );
  const all = [...choices.values()];
  return {
    refused: all.flatMap(({ points }) => points).filter(({ reasons }) => reasons.length > 0).length,
    chosen: all.filter(({ chosen }) => chosen !== undefined).length,
  };
}

/**
 * The choice of recovery points of so many jobs that are joined by topics, from their manifests in memory on: what the
 * store and the brokers take is not in it. Every run has manifests of its own, as a command has. Gives Markdown.
 */
export function measureRecoveryPoint(jobs: number, runs: number, say: (line: string) => void): string {
  const logRanges = Array.from({ length: jobs }, (_, job) =>
    ofEach((partition) => ({ topic: topicOf(job), partition, logStartOffset: 0n, logEndOffset: 1_000n })),
  ).flat();
  const times: { readonly ms: number; readonly cpuMs: number }[] = [];
  let result = { refused: 0, chosen: 0 };
  for (let run = 0; run < runs; run++) {
    const views = Array.from({ length: jobs }, (_, job) => viewOf(job, logRanges));
    const [from, cpu] = [performance.now(), process.cpuUsage()];
    result = choose(views);
    const { user, system } = process.cpuUsage(cpu);
    times.push({ ms: performance.now() - from, cpuMs: (user + system) / 1_000 });
    say(`recovery point, ${run + 1}: ${JSON.stringify(times.at(-1))}`);
  }
  const show = (of: (time: (typeof times)[number]) => number) => {
    const { median, min, max } = spread(times.map(of));
    return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
  };
  return [
    `Recovery point over ${jobs} jobs × ${checkpoints} checkpoints: ${partitions} partitions and ${files} files each, chains of ${chain} jobs; ${result.refused} checkpoints refused, ${result.chosen} jobs with one chosen.`,
    '',
    '| figure | Argus | must reach |',
    '|---|---|---|',
    `| choice, ms | ${show(({ ms }) => ms)} | 2,000 |`,
    `| its CPU, ms | ${show(({ cpuMs }) => cpuMs)} | – |`,
  ].join('\n');
}
