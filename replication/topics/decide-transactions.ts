import { isPendingOne, type PendingTransaction, type SinkEnds } from '../../domain/checkpoint.ts';
import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { transactionalIdOf } from '../../regions/kafka/mirror-transactions.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';

/** A transaction that stands open in a partition of the standby. */
export interface OpenTransaction extends TopicPartition {
  /** `mirror`: the mirror replays it, under an id of its own. `foreign`: somebody else's, which is never touched. */
  readonly owner: 'mirror' | 'foreign';
  /** The id by which the standby knows it; undefined of a foreign one. */
  readonly transactionalId: string | undefined;
  /** As the standby knows it. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Its first record's offset; undefined while it has none here, and then no reader waits for it. */
  readonly firstOffset: bigint | undefined;
  /** When it began on the standby. */
  readonly sinceMs: number | undefined;
  /** Whose it is on the source; undefined where nobody could tell. */
  readonly sourceProducerId: bigint | undefined;
  /** Undefined where that is not known: the id alone counts then. */
  readonly sourceProducerEpoch: number | undefined;
}

/** What a chosen recovery point says that its sinks had pre-committed: a restored job counts on it. */
export interface PreCommitted {
  readonly transactions: readonly PendingTransaction[];
  /** What was open then; absent: nobody looked, and a transaction is known by its producer alone. */
  readonly sinkEnds?: SinkEnds | undefined;
  /** Partitions by `partitionKey` whose output the standby has not, or may not have, to its end: there all is aborted. */
  readonly short: ReadonlySet<string>;
}

/** What shall be committed; everything else of the mirror is aborted. */
export interface CommitWishes {
  /** Producer ids of the source, in decimal, or the mirror's transactional ids on the standby. */
  readonly asked: readonly string[];
  /** Of each chosen recovery point. */
  readonly preCommitted: readonly PreCommitted[];
}

export interface DecidedTransaction {
  readonly transaction: OpenTransaction;
  readonly outcome: TransactionOutcome;
  /** `asked`: by a person; `pre-committed`: by a recovery point; `default`: nobody spoke for it. */
  readonly because: 'asked' | 'pre-committed' | 'default';
}

export interface TransactionDecisions {
  /** All of the mirror's, each once. */
  readonly own: readonly DecidedTransaction[];
  /** Of others: listed, never ended. */
  readonly foreign: readonly OpenTransaction[];
  /** What was asked for and matches none that stands open. */
  readonly unmatched: readonly string[];
}

export const abortAll: CommitWishes = { asked: [], preCommitted: [] };

/** Which of the open transactions are committed and which aborted. Pure. */
export function decideOpenTransactions(open: readonly OpenTransaction[], wishes: CommitWishes): TransactionDecisions {
  const mirrors = open.filter((t) => t.owner === 'mirror');
  return {
    own: mirrors.map((transaction): DecidedTransaction => {
      if (fillsHoles(transaction)) return { transaction, outcome: 'abort', because: 'default' };
      if (wishes.asked.some((wish) => isNamed(transaction, wish))) {
        return { transaction, outcome: 'commit', because: 'asked' };
      }
      if (wishes.preCommitted.some((point) => isPreCommitted(transaction, point))) {
        return { transaction, outcome: 'commit', because: 'pre-committed' };
      }
      return { transaction, outcome: 'abort', because: 'default' };
    }),
    foreign: open.filter((t) => t.owner === 'foreign'),
    unmatched: wishes.asked.filter((wish) => !mirrors.some((t) => isNamed(t, wish))),
  };
}

/** Placeholders in holes: committed, every reader would see them. */
function fillsHoles({ transactionalId, topic, partition }: OpenTransaction): boolean {
  return transactionalId === transactionalIdOf({ topic, partition }, 'fill');
}

/** An id of the standby's own is never a number, so the two can't be mistaken for each other. */
function isNamed(transaction: OpenTransaction, wish: string): boolean {
  return wish === transaction.transactionalId || wish === transaction.sourceProducerId?.toString();
}

/**
 * Where the partition was looked at after the checkpoint, its first offset tells, which is the same on both sides; a
 * producer that went on to its next transaction is then not mistaken for the one before, and nobody else is asked.
 */
function isPreCommitted(transaction: OpenTransaction, { transactions, sinkEnds, short }: PreCommitted): boolean {
  const { topic, partition, firstOffset, sourceProducerId, sourceProducerEpoch } = transaction;
  if (short.has(partitionKey(transaction))) return false;
  const here = (t: TopicPartition) => t.topic === topic && t.partition === partition;
  if (sinkEnds?.partitions.some(here)) {
    const seen = sinkEnds.open.find((t) => here(t) && BigInt(t.firstOffset) === firstOffset);
    return seen !== undefined && isPendingOne(seen, transactions);
  }
  return transactions.some((pending) => {
    if (sourceProducerId?.toString() !== pending.producerId) return false;
    return sourceProducerEpoch === undefined || sourceProducerEpoch === pending.producerEpoch;
  });
}

/**
 * What a recovery point's sinks had pre-committed, given the topics that they write and where mirrored data ends: where
 * that lies before the sinks' ends, or these are not known, the output is not whole. Pure.
 */
export function preCommittedBy(
  point: { readonly droppedTransactions: readonly PendingTransaction[]; readonly sinkEnds?: SinkEnds | undefined },
  writes: readonly string[],
  promotedAt: readonly PartitionOffset[],
): PreCommitted {
  const { droppedTransactions: transactions, sinkEnds } = point;
  const ends = new Map(sinkEnds?.partitions.map((end) => [partitionKey(end), BigInt(end.endOffset)]));
  const short = promotedAt.filter((at) => {
    if (!writes.includes(at.topic)) return false;
    const end = ends.get(partitionKey(at));
    return end === undefined || at.offset < end;
  });
  return { transactions, sinkEnds, short: new Set(short.map(partitionKey)) };
}
