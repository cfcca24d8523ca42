import type { CheckpointManifest } from '../../../domain/checkpoint.ts';
import type { JobConfig } from '../../../domain/config.ts';
import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { offsetFromJson } from '../../../domain/offsets.ts';
import type { FlinkCheckpoints } from '../../../regions/flink/flink-jobs.ts';
import { keyInBucket, parseClaim, pointFolder } from '../../../replication/checkpoints/locations.ts';
import { decodeManifest } from '../../../replication/checkpoints/manifest.ts';
import { noPointSentence } from '../../../replication/recovery-point/find.ts';
import type { SinkRefusalCode } from '../../../replication/recovery-point/judge-sinks.ts';
import type { PointOutput } from '../../../replication/recovery-point/point-output.ts';
import { lossRefusal } from '../budget.ts';
import type { FailoverContext, RecoveryPointChoice, RejectedPoint, UsedPoint } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { standbyJobsNow } from '../standby-jobs-now.ts';

/** Chooses what each job is restored from; reads only. A job that runs already keeps the point that it was restored from. */
export function chooseRecoveryPoints(words: StepWords): FailoverStep {
  return {
    id: 'choose-recovery-point',
    ...words,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'see `argus checkpoints list` for what the replica holds' },
    async observe(context, facts, io) {
      const now = await standbyJobsNow(context, io);
      type Asked = { readonly config: JobConfig; readonly restored?: UsedPoint };
      const jobs = await eachAtOnce(context.jobs, atOnce, async ({ config }): Promise<Asked> => {
        const there = now.find(({ name }) => name === config.name)?.there ?? { kind: 'none' };
        const { restored } = there.kind === 'live' ? await context.standby.flink.checkpoints(there.job.id, io) : {};
        return restored
          ? { config, restored: await restoredPoint(context, config.name, restored, io.signal) }
          : { config };
      });
      const refusal = jobs.some(({ restored }) => restored) ? undefined : lossRefusal(context, facts);
      if (refusal) return { kind: 'refused', error: refusal };
      const choices = jobs.every(({ restored }) => restored)
        ? new Map<string, RecoveryPointChoice>()
        : await context.chooseRecoveryPoints(jobs, facts.promotedAt ?? [], io.signal);
      const points: UsedPoint[] = [];
      const rejected: RejectedPoint[] = [];
      for (const { config, restored } of jobs) {
        if (restored) {
          points.push(restored);
          continue;
        }
        const choice = choices.get(config.name);
        rejected.push(...(choice?.rejected ?? []));
        if (choice?.kind !== 'chosen')
          return { kind: 'refused', error: noPointRefusal(config.name, choice?.rejected ?? []) };
        points.push(usedPoint(choice.point, choice.output));
      }
      return { kind: 'done', evidence: evidence({ points, rejected }), facts: { points, rejected } };
    },
    async act() {
      // Nothing to change: observe has chosen or refused.
    },
    async verify() {
      return { kind: 'done', evidence: null };
    },
  };
}

/** A recovery point as the run goes on with it. */
export function usedPoint(point: CheckpointManifest, output?: PointOutput): UsedPoint {
  return {
    job: point.job,
    flinkJobId: point.flinkJobId,
    checkpointId: point.checkpointId,
    completedAtMs: point.completedAtMs,
    uri: point.replicaUri,
    sourceOffsets: point.sourceOffsets.map(offsetFromJson),
    droppedTransactions: point.droppedTransactions,
    ...(point.sinkEnds === undefined ? {} : { sinkEnds: point.sinkEnds }),
    ...(output === undefined ? {} : { output }),
    ...(point.needsClaim === true ? { claim: claimOf(point) } : {}),
  };
}

function claimOf({ files, metadata }: CheckpointManifest): NonNullable<UsedPoint['claim']> {
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.sizeBytes, metadata.sizeBytes) };
}

/**
 * What a job that an earlier run started was restored from, by Flink's word, with what the replica says of it. Without
 * its manifest its source offsets are not known.
 */
async function restoredPoint(
  context: FailoverContext,
  job: string,
  restored: NonNullable<FlinkCheckpoints['restored']>,
  signal: AbortSignal,
): Promise<UsedPoint> {
  const { objects } = context.standby;
  const key = keyInBucket(restored.path.replace(/\/+$/, ''), objects.uri);
  const claim = key === undefined ? undefined : parseClaim(job, key);
  const folder = claim === undefined ? key : pointFolder(job, claim.point);
  const found = folder === undefined ? undefined : await objects.get(`${folder}/manifest.json`, { signal });
  const manifest = found && decodeManifest(found.body);
  if (manifest && !('problem' in manifest)) return usedPoint(manifest);
  const { id, path, atMs } = restored;
  return {
    job,
    flinkJobId: 'unknown',
    checkpointId: id,
    // Not later than its restore.
    completedAtMs: atMs,
    uri: path,
    sourceOffsets: [],
    droppedTransactions: [],
  };
}

const outputRefusals: ReadonlySet<string> = new Set<SinkRefusalCode>([
  'SinkNotMirrored',
  'SinkEndsUnknown',
  'TransactionAborted',
]);

/** Why a failover without a usable recovery point is refused. */
export function noPointRefusal(job: string, rejected: readonly RejectedPoint[]) {
  const gap = rejected.some(({ code }) => outputRefusals.has(code));
  return {
    code: 'NoRecoveryPoint',
    message: noPointSentence(job, rejected),
    hint: gap
      ? 'see `argus recovery-points --explain`; --accept-output-gap takes a point whose output the standby lacks'
      : 'see `argus checkpoints list`; is `argus daemon` (or `argus checkpoints run`) copying them?',
  };
}
