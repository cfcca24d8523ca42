import type { RecordBatch } from '../../regions/kafka/record-batch.ts';

/** Up to so many missing offsets in a row can be taken by empty transactions, whose marker no reader sees. */
export const smallHole = 16n;

/** What is known of the holes that come next, from what is queued. */
export interface HolesAhead {
  /** Exclusive end of the hole that is next. */
  readonly to: bigint;
  /** Another one comes after it. */
  readonly later: boolean;
  /** How many transactions it would take to close each hole on its own, of all that was looked at. */
  readonly transactions: bigint;
  /** All offsets that were looked at. */
  readonly span: bigint;
}

/** Looks through a queue whose first offset to send is `from`, which is missing. As far as has to be known only. */
export function holesAhead(from: bigint, queue: readonly RecordBatch[], wholeQueue: boolean): HolesAhead {
  let [end, transactions, hole] = [from, 0n, 0n];
  let first: bigint | undefined;
  let later = false;
  const close = () => {
    first ??= from + hole;
    if (hole > 0n) transactions += hole <= smallHole ? hole : 1n;
    hole = 0n;
  };
  for (const { baseOffset, lastOffset, recordCount } of queue) {
    const next = recordCount === 0 ? lastOffset + 1n : baseOffset;
    if (next > end) {
      hole += next - end;
      later ||= first !== undefined;
    }
    if (recordCount > 0) close();
    // Split later: where its holes are isn't known yet, but that there are some.
    const inside = recordCount > 0 ? lastOffset - baseOffset + 1n - BigInt(recordCount) : 0n;
    transactions += inside;
    later ||= inside > 0n;
    if (later && !wholeQueue) break;
    if (lastOffset >= end) end = lastOffset + 1n;
  }
  close();
  return { to: first ?? from, later, transactions, span: end - from };
}

/**
 * `place`: placeholders into the whole hole, inside the transaction that stands open for it; more holes come.
 * `open`: begin that transaction. `close`: fill the hole so that nothing is left open, by markers or by placeholders
 * and one marker.
 */
export type FillDecision = 'place' | 'open' | 'close';

/** Larger holes are closed each on their own: that costs nothing beside them. */
export const longestPlaced = 10_000n;
/** A transaction for holes hides what follows from read_committed readers of the standby as long as it is open. */
export const longestOpenMs = 3_000;
/** So many transactions at a time, or one in so many offsets, are slower, but leave less that a reader can see. */
const fewTransactions = 64n;
const oneIn = 50n;

/** How the next hole is filled. A transaction is only left open when a later hole can take its marker. Pure. */
export function decideFill(ahead: HolesAhead, from: bigint, openForMs: number | undefined): FillDecision {
  if (!ahead.later || ahead.to - from > longestPlaced) return 'close';
  if (openForMs !== undefined) return openForMs > longestOpenMs ? 'close' : 'place';
  const { transactions, span } = ahead;
  return transactions <= fewTransactions || transactions * oneIn <= span ? 'close' : 'open';
}
