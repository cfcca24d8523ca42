import type { CheckedJob, CheckFinding, Findings } from './checked-job.ts';
import { keyInBucket } from './locations.ts';

/** How a job takes its checkpoints, against what replication and the objective need; pure. Empty when Flink is silent. */
export function checkSettings({
  flink,
  rpoMs,
  bucketUri,
}: Pick<CheckedJob, 'flink' | 'rpoMs' | 'bucketUri'>): Findings {
  const reasons: CheckFinding[] = [];
  const warnings: CheckFinding[] = [];
  const notes: string[] = [];
  if (flink.kind !== 'known') return { reasons, warnings, notes };
  const { checkpointing, cluster, flinkVersion } = flink.settings;
  if (flinkVersion !== undefined) notes.push(`Flink ${flinkVersion}`);
  const interval = checkpointing?.intervalMs;
  if (checkpointing === undefined || interval === undefined) {
    reasons.push({
      code: 'NoCheckpointing',
      message: 'the job takes no checkpoints by itself',
      alternative: 'set execution.checkpointing.interval, below the RPO objective',
    });
    return { reasons, warnings, notes };
  }
  if (checkpointing.storage === 'JobManagerCheckpointStorage') {
    reasons.push({
      code: 'StorageInMemory',
      message: "the checkpoints are kept in the JobManager's memory and are gone with it",
      alternative: 'set execution.checkpointing.dir to a folder of the bucket',
    });
  }
  if (interval >= rpoMs) {
    warnings.push({
      code: 'IntervalAboveRpo',
      message: `a checkpoint is begun every ${interval} ms, the RPO objective is ${rpoMs} ms: the newest one is often older`,
      alternative: `set execution.checkpointing.interval below ${Math.ceil(rpoMs / 2)} ms: the copy takes time, too`,
    });
  }
  if (checkpointing.mode !== 'exactly_once') {
    warnings.push({
      code: 'AtLeastOnce',
      message: 'checkpoints are taken at least once: after each restore some records count twice',
      alternative: 'set execution.checkpointing.mode: EXACTLY_ONCE',
    });
  }
  if (checkpointing.whenEnded !== 'kept') {
    warnings.push({
      code: 'DeletedWhenEnded',
      message:
        checkpointing.whenEnded === 'deleted'
          ? 'Flink deletes the checkpoints when the job ends, also those that the replica does not have yet'
          : 'Flink deletes the checkpoints when the job is cancelled (DELETE_ON_CANCELLATION), also those that the replica does not have yet',
      alternative: 'set execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION',
    });
  }
  checkCluster(cluster, bucketUri, warnings, notes);
  const backend = checkpointing.stateBackend ?? 'state backend unknown';
  notes.push(`${backend}, a checkpoint every ${interval} ms${checkpointing.unaligned ? ', unaligned allowed' : ''}`);
  return { reasons, warnings, notes };
}

/** Settings that Flink tells of the cluster only: the job may have set others. */
function checkCluster(
  cluster: ReadonlyMap<string, string>,
  bucketUri: string,
  warnings: CheckFinding[],
  notes: string[],
): void {
  const setting = (...keys: readonly string[]) => keys.map((key) => cluster.get(key)).find((v) => v !== undefined);
  const retained = Number(
    setting('execution.checkpointing.num-retained', 'state.checkpoints.num-retained') ?? defaultRetained,
  );
  if (retained < 2) {
    warnings.push({
      code: 'FewRetained',
      message: `the cluster keeps ${retained} checkpoint: a copy that takes longer than the interval loses its files to Flink and begins again`,
      alternative: 'set execution.checkpointing.num-retained: 3, unless the job sets it itself',
    });
  }
  const savepoints = setting('execution.checkpointing.savepoint-dir', 'state.savepoints.dir');
  if (savepoints !== undefined && keyInBucket(savepoints, bucketUri) === undefined) {
    notes.push(`savepoints are written to ${savepoints}, outside ${bucketUri}`);
  }
  const entropy = setting('s3.entropy.key');
  if (entropy !== undefined && entropy !== '') {
    warnings.push({
      code: 'EntropyInjected',
      message: `s3.entropy.key is ${entropy}: the files lie under random keys, and nobody has tried to relocate those`,
      alternative: 'leave s3.entropy.key out, or prove a restore before you need one',
    });
  }
}

/** Flink's own default. */
const defaultRetained = 1;
