import type { CheckpointManifest } from '../../../domain/checkpoint.ts';
import { offsetFromJson } from '../../../domain/offsets.ts';
import { noPointSentence } from '../../../replication/recovery-point/find.ts';
import type { RejectedPoint, UsedPoint } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { findStandbyJob } from '../standby-job.ts';

/** Chooses what each job is restored from; reads only. A job that runs already keeps the point that it was restored from. */
export function chooseRecoveryPoints(words: StepWords): FailoverStep {
  return {
    id: 'choose-recovery-point',
    ...words,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'see `argus checkpoints list` for what the replica holds' },
    async observe(context, facts, io) {
      const running = await context.standby.flink.list({ signal: io.signal });
      const points: UsedPoint[] = [];
      const rejected: RejectedPoint[] = [];
      for (const { config } of context.jobs) {
        const choice = await context.chooseRecoveryPoint(config, facts.promotedAt ?? [], io.signal);
        rejected.push(...choice.rejected);
        if (choice.kind === 'none') {
          return { kind: 'refused', error: noPointRefusal(config.name, choice.rejected) };
        }
        const there = findStandbyJob(running, context.roles.epoch + 1, config.name);
        const restored =
          there.kind === 'live' ? (await context.standby.flink.checkpoints(there.job.id, io)).restored : undefined;
        points.push(restored ? restoredPoint(restored.path, choice.point, restored.id) : usedPoint(choice.point));
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
export function usedPoint(point: CheckpointManifest): UsedPoint {
  return {
    job: point.job,
    flinkJobId: point.flinkJobId,
    checkpointId: point.checkpointId,
    completedAtMs: point.completedAtMs,
    uri: point.replicaUri,
    sourceOffsets: point.sourceOffsets.map(offsetFromJson),
    droppedTransactions: point.droppedTransactions,
  };
}

/** A job that an earlier run started: what it was restored from is what Flink says. */
function restoredPoint(path: string, chosen: CheckpointManifest, id: number): UsedPoint {
  const same = path.replace(/\/+$/, '').endsWith(chosen.replicaUri.replace(/^[a-z0-9]+:\/\//, '').replace(/\/+$/, ''));
  return same ? usedPoint(chosen) : { ...usedPoint(chosen), uri: path, checkpointId: id, sourceOffsets: [] };
}

/** Why a failover without a usable recovery point is refused. */
export function noPointRefusal(job: string, rejected: readonly RejectedPoint[]) {
  return {
    code: 'NoRecoveryPoint',
    message: noPointSentence(job, rejected),
    hint: 'see `argus checkpoints list`; is `argus daemon` (or `argus checkpoints run`) copying them?',
  };
}
