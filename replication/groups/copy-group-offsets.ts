import { ArgusError } from '../../domain/errors.ts';
import type { GroupCommit, KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { planGroupOffsets } from './plan-group-offsets.ts';

export interface GroupCopy {
  readonly group: string;
  /** `active`: the group has members on the standby and was left alone. */
  readonly outcome: 'copied' | 'unchanged' | 'active' | 'failed';
  /** Partitions whose offset was committed. */
  readonly committed: number;
  /** Partitions whose offset lay past the mirrored end. */
  readonly clamped: number;
  readonly error: unknown;
}

/**
 * Copies the committed offsets of groups, with what their consumers keep beside them, from the primary to the standby.
 * It never throws: each group has its outcome. Whether a group has members there is decided by its broker at the very
 * commit, so nobody can join in between. Idempotent. Never call it once the standby's jobs were started: they commit
 * without being members.
 */
export async function copyGroupOffsets(
  source: Pick<KafkaAdmin, 'groupCommits'>,
  target: Pick<KafkaAdmin, 'groupCommits' | 'commitGroups'>,
  groups: readonly string[],
  mirroredEnds: ReadonlyMap<string, bigint>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly GroupCopy[]> {
  const nothing = { committed: 0, clamped: 0, error: undefined } as const;
  const failed = (group: string, error: unknown): GroupCopy => ({ ...nothing, group, outcome: 'failed', error });
  try {
    const [here, there] = await Promise.all([
      source.groupCommits(groups, options),
      target.groupCommits(groups, options),
    ]);
    const copies = new Map<string, GroupCopy>();
    const wanted = new Map<string, readonly GroupCommit[]>();
    for (const group of groups) {
      const [primary, standby] = [here.get(group) ?? [], there.get(group) ?? []];
      const error = [primary, standby].find((side) => side instanceof ArgusError);
      if (primary instanceof ArgusError || standby instanceof ArgusError) {
        copies.set(group, failed(group, error));
        continue;
      }
      const { commit, clamped } = planGroupOffsets({ primary, standby, mirroredEnds });
      const outcome = commit.length === 0 ? 'unchanged' : 'copied';
      copies.set(group, { ...nothing, group, outcome, committed: commit.length, clamped: clamped.length });
      if (commit.length > 0) wanted.set(group, commit);
    }
    const answers = wanted.size === 0 ? new Map() : await target.commitGroups(wanted, options);
    for (const [group, error] of answers) {
      if (error === undefined) continue;
      const outcome = error.code === 'GroupActive' ? 'active' : 'failed';
      copies.set(group, { ...nothing, group, outcome, error });
    }
    return [...copies.values()];
  } catch (error) {
    return groups.map((group) => failed(group, error));
  }
}
