import { ArgusError } from '../../domain/errors.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
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
 * Copies the committed offsets of groups from the primary to the standby. It never throws: each group has its outcome.
 * Idempotent. Never call it once the standby's jobs were started: they commit without being members.
 */
export async function copyGroupOffsets(
  source: Pick<KafkaAdmin, 'groupOffsets'>,
  target: Pick<KafkaAdmin, 'groupOffsets' | 'setGroupOffsets'>,
  groups: readonly string[],
  mirroredEnds: ReadonlyMap<string, bigint>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly GroupCopy[]> {
  const copies: GroupCopy[] = [];
  for (const group of groups) copies.push(await copyGroup(source, target, group, mirroredEnds, options));
  return copies;
}

async function copyGroup(
  source: Pick<KafkaAdmin, 'groupOffsets'>,
  target: Pick<KafkaAdmin, 'groupOffsets' | 'setGroupOffsets'>,
  group: string,
  mirroredEnds: ReadonlyMap<string, bigint>,
  options: { readonly signal?: AbortSignal },
): Promise<GroupCopy> {
  const nothing = { group, committed: 0, clamped: 0, error: undefined } as const;
  try {
    const primary = await source.groupOffsets(group, options);
    const standby = await target.groupOffsets(group, options);
    const { commit, clamped } = planGroupOffsets({ primary, standby, mirroredEnds });
    if (commit.length === 0) return { ...nothing, outcome: 'unchanged', clamped: clamped.length };
    await target.setGroupOffsets(group, commit, options);
    return { ...nothing, outcome: 'copied', committed: commit.length, clamped: clamped.length };
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'GroupActive') return { ...nothing, outcome: 'active', error };
    return { ...nothing, outcome: 'failed', error };
  }
}
