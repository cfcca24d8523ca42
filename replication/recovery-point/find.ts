import { chooseRecoveryPoint, type RecoveryPointChoice, type Refusal } from './choose.ts';
import { type GatheredView, type GatherOptions, gatherRecoveryView } from './gather.ts';

/**
 * The newest usable checkpoint on the replica, as a failover would choose it, looking further and further back: while a
 * mirror stands still, many a newer checkpoint is copied that lies past its end. Reads only.
 */
export async function findRecoveryPoint(options: Omit<GatherOptions, 'limit' | 'skip'>): Promise<RecoveryPointChoice> {
  const rejected: Refusal[] = [];
  for await (const view of recoveryViews(options)) {
    const choice = chooseRecoveryPoint(view);
    rejected.push(...choice.rejected);
    if (choice.kind === 'chosen') return { ...choice, rejected };
  }
  return { kind: 'none', rejected };
}

/** The replica's checkpoints a part at a time, newest first: ten, and each time four times as many as the time before. */
export async function* recoveryViews(options: Omit<GatherOptions, 'limit' | 'skip'>): AsyncGenerator<GatheredView> {
  for (let skip = 0, limit = 10; ; skip += limit, limit *= 4) {
    const view = await gatherRecoveryView({ ...options, limit, skip });
    yield view;
    if (view.older === 0) return;
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
