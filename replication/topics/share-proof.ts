import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { ToldTransaction } from './open-transactions.ts';

/** A mirror's word when it stands still. */
interface StandsStill {
  readonly drained: boolean;
  readonly endOffsets: readonly PartitionOffset[];
  readonly openTransactions?: readonly ToldTransaction[];
}

/** What is known of those who share the partitions while they are to stand still. */
export interface ShareView {
  /** All that is shared. */
  readonly partitions: readonly TopicPartition[];
  /** As the group's coordinator sees it: everybody has his part, or they are about to agree. */
  readonly settled: boolean;
  readonly members: readonly {
    readonly id: string;
    /** Undefined: it has no part yet. */
    readonly part: { readonly generation: number; readonly partitions: readonly TopicPartition[] } | undefined;
    /** Its word that it stands still under that generation. */
    readonly report: StandsStill | undefined;
  }[];
  /** Members that mirrored, went without a word, and of whom batches may still be on their way. */
  readonly lost: readonly string[];
}

export type ShareProof =
  | ({ readonly kind: 'proven' } & Required<StandsStill>)
  | { readonly kind: 'open'; readonly why: string };

/**
 * Whether nothing of what is shared is mirrored any more. Pure.
 *
 * It is when, after the freeze was asked for, the group was seen settled in one generation whose members have every
 * partition, and each of them has said that it stands still under that generation. Whoever got a part later has seen
 * the freeze before he began. What a lost member left on its way is older than the end that all others have reached
 * when they are drained; else only a fence makes sure.
 */
export function proveShareFrozen(view: ShareView): ShareProof {
  const open = (why: string): ShareProof => ({ kind: 'open', why });
  if (!view.settled) return open('the members are about to agree anew');
  const generations = new Set(view.members.map((m) => m.part?.generation));
  if (generations.size > 1) return open('not every member has its part yet');
  const owned = new Set(view.members.flatMap((m) => m.part?.partitions ?? []).map(partitionKey));
  const unowned = view.partitions.find((p) => !owned.has(partitionKey(p)));
  // Without members nobody mirrors: what the standby has is all there is, unless one was lost.
  if (unowned && view.members.length > 0) return open(`nobody has ${partitionKey(unowned)}`);
  const silent = view.members.find((m) => !m.report);
  if (silent) return open(`${silent.id} has not said that it stands still`);
  const drained = view.members.length > 0 && view.members.every((m) => m.report?.drained);
  if (view.lost.length > 0 && !drained)
    return open(`${view.lost[0]} went without a word, and nobody knows its last batches`);
  const endOffsets = view.members.flatMap((m) => m.report?.endOffsets ?? []);
  return {
    kind: 'proven',
    drained,
    endOffsets,
    openTransactions: view.members.flatMap((m) => m.report?.openTransactions ?? []),
  };
}
