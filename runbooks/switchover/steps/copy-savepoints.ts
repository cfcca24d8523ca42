import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { type PartitionOffset, partitionKey } from '../../../domain/offsets.ts';
import type { Failure } from '../../../state/journal.ts';
import type { UsedPoint } from '../../failover/context.ts';
import { atOnce, evidence, type StepWords } from '../../failover/failover-step.ts';
import { usedPoint } from '../../failover/steps/choose-recovery-point.ts';
import type { StoredSavepoint, SwitchoverContext, SwitchoverFacts } from '../context.ts';
import { hasTakenOver, over, type SwitchoverStep } from '../switchover-step.ts';

/** Each of them copies many files at a time. */
const copiesAtOnce = 4;

/** Brings the jobs' savepoints to the standby, relocated: these, and no other point, are what it starts from. */
export function copySavepoints(words: StepWords): SwitchoverStep {
  return {
    id: 'copy-savepoints',
    ...words,
    waitsFor: 'both object stores',
    timeoutMs: 600_000,
    onFailure: { kind: 'stop', hint: 'check both buckets (`argus status`), then run `argus switchover` again' },
    async observe(context, facts, io) {
      if (await hasTakenOver(context, io.signal)) return { ...over, facts: { unread: null } };
      const found = await copies(context, facts, io.signal);
      if (found === undefined) return { kind: 'todo' };
      const refusal = judgePoints(found, facts);
      return refusal === undefined ? chosen(found, facts) : { kind: 'refused', error: refusal };
    },
    async act(context, facts, io) {
      await eachAtOnce(facts.savepoints ?? [], copiesAtOnce, async (savepoint) => {
        if ((await context.findCopy(savepoint, io.signal)) !== undefined) return;
        const { config } = context.jobs.find((j) => j.config.name === savepoint.job)!;
        io.progress(`copying savepoint ${savepoint.checkpointId} of ${savepoint.job}`);
        io.check();
        await context.copySavepoint(config, savepoint, io.signal);
      });
    },
    async verify(context, facts, io) {
      const found = await copies(context, facts, io.signal);
      if (found === undefined) return { kind: 'pending', waitingFor: 'the copies on the standby' };
      const refusal = judgePoints(found, facts);
      return refusal === undefined ? chosen(found, facts) : { kind: 'failed', error: refusal };
    },
  };
}

/** What every savepoint is on the standby; undefined while one is not. */
async function copies(
  context: SwitchoverContext,
  facts: Partial<SwitchoverFacts>,
  signal: AbortSignal,
): Promise<readonly UsedPoint[] | undefined> {
  const savepoints: readonly StoredSavepoint[] | undefined = facts.savepoints;
  if (savepoints === undefined) throw new ArgusError('JobsNotStopped', 'it is not known where the jobs ended');
  const manifests = await eachAtOnce(savepoints, atOnce, (savepoint) => context.findCopy(savepoint, signal));
  const points = manifests.flatMap((manifest) => (manifest === undefined ? [] : [usedPoint(manifest)]));
  return points.length === savepoints.length ? points : undefined;
}

/** Why savepoints can't be what the standby starts from; undefined: they can. Pure. */
export function judgePoints(
  points: readonly Pick<UsedPoint, 'job' | 'sourceOffsets'>[],
  { promotedAt = [] }: Pick<Partial<SwitchoverFacts>, 'promotedAt'>,
): Failure | undefined {
  const ends = new Map(promotedAt.map((p) => [partitionKey(p), p.offset]));
  for (const { job, sourceOffsets } of points) {
    const past = sourceOffsets.find((o) => o.offset > (ends.get(partitionKey(o)) ?? o.offset));
    if (past === undefined) continue;
    const end = ends.get(partitionKey(past));
    return {
      code: 'PastTheMirror',
      message: `the savepoint of ${job} has read ${partitionKey(past)} up to ${past.offset}, the standby ends at ${end}`,
    };
  }
  return undefined;
}

/** Offsets that the jobs have still to read on the standby; null where a savepoint doesn't tell. Pure. */
export function unreadOffsets(
  points: readonly Pick<UsedPoint, 'sourceOffsets'>[],
  promotedAt: readonly PartitionOffset[],
): number | null {
  const ends = new Map(promotedAt.map((p) => [partitionKey(p), p.offset]));
  let sum = 0n;
  for (const o of points.flatMap((p) => p.sourceOffsets)) {
    const end = ends.get(partitionKey(o));
    if (end === undefined) continue;
    if (o.offset < 0n) return null;
    sum += end - o.offset;
  }
  return Number(sum);
}

function chosen(points: readonly UsedPoint[], facts: Partial<SwitchoverFacts>) {
  const unread = unreadOffsets(points, facts.promotedAt ?? []);
  return { kind: 'done' as const, evidence: evidence({ points, unread }), facts: { points, rejected: [], unread } };
}
