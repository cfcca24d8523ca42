import { chooseRecoveryPoint, type RecoveryPointChoice, type Refusal } from './choose.ts';
import { type GatherOptions, gatherRecoveryView } from './gather.ts';

/**
 * The newest usable checkpoint on the replica, as a failover would choose it, looking further and further back: while a
 * mirror stands still, many a newer checkpoint is copied that lies past its end. Reads only.
 */
export async function findRecoveryPoint(options: Omit<GatherOptions, 'limit' | 'skip'>): Promise<RecoveryPointChoice> {
  const rejected: Refusal[] = [];
  for (let skip = 0, limit = 10; ; skip += limit, limit *= 4) {
    const view = await gatherRecoveryView({ ...options, limit, skip });
    const choice = chooseRecoveryPoint(view);
    rejected.push(...choice.rejected);
    if (choice.kind === 'chosen' || view.older === 0) return { ...choice, rejected };
  }
}

/** Why a checkpoint was refused, as one sentence: the first reason, and how many more there are. Pure. */
export function describeRefusal({ reasons }: Pick<Refusal, 'reasons'>): string {
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  return `${reasons[0]?.message ?? 'refused'}${more}`;
}

/** Why there is no recovery point of a job, given the refused ones, newest first. Pure. */
export function noPointSentence(
  job: string,
  refused: readonly { readonly checkpointId: number; readonly message: string }[],
): string {
  const newest = refused[0];
  if (newest === undefined) return `the replica holds no complete checkpoint of ${job}`;
  return `none of ${refused.length} checkpoints of ${job} on the replica is usable; checkpoint ${newest.checkpointId}: ${newest.message}`;
}
