import type { PendingTransaction } from '../../domain/checkpoint.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
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

/** What shall be committed; everything else of the mirror is aborted. */
export interface CommitWishes {
  /** Producer ids of the source, in decimal, or the mirror's transactional ids on the standby. */
  readonly asked: readonly string[];
  /** What the chosen recovery points say that their sinks had pre-committed: a restored job counts on it. */
  readonly preCommitted: readonly PendingTransaction[];
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
      if (wishes.preCommitted.some((pending) => isPending(transaction, pending))) {
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

function isPending(transaction: OpenTransaction, pending: PendingTransaction): boolean {
  const { sourceProducerId, sourceProducerEpoch } = transaction;
  if (sourceProducerId?.toString() !== pending.producerId) return false;
  return sourceProducerEpoch === undefined || sourceProducerEpoch === pending.producerEpoch;
}
