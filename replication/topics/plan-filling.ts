import type { RecordBatch } from '../../regions/kafka/record-batch.ts';

/** What is known of the holes that come next, from what is queued. */
export interface HolesAhead {
  /** Exclusive end of the hole that is next. */
  readonly to: bigint;
  /** Another one comes after it. */
  readonly later: boolean;
  /** Offsets without a record in all that was looked at, and all of them. */
  readonly missing: bigint;
  readonly span: bigint;
}

/** Looks through a queue whose first offset to send is `from`, which is missing. As far as has to be known only. */
export function holesAhead(from: bigint, queue: readonly RecordBatch[], wholeQueue: boolean): HolesAhead {
  let [end, to, missing] = [from, from, 0n];
  let [inFirst, later] = [true, false];
  for (const { baseOffset, lastOffset, recordCount } of queue) {
    const next = lastOffset + 1n;
    const gap = baseOffset > end ? baseOffset - end : 0n;
    const empty = recordCount === 0 && next > end + gap ? next - end - gap : 0n;
    missing += gap + empty;
    if (inFirst) {
      to = end + gap + empty;
      inFirst = recordCount === 0;
    } else if (gap + empty > 0n) later = true;
    if (next > end) end = next;
    if (later && !wholeQueue) break;
  }
  return { to, later, missing, span: end - from };
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
/** Where fewer offsets than one in so many are missing, markers take them: no reader sees those. */
const sparse = 50n;

/** How the next hole is filled. A transaction is only left open when a later hole can take its marker. Pure. */
export function decideFill(ahead: HolesAhead, from: bigint, openForMs: number | undefined): FillDecision {
  if (!ahead.later || ahead.to - from > longestPlaced) return 'close';
  if (openForMs !== undefined) return openForMs > longestOpenMs ? 'close' : 'place';
  return ahead.missing * sparse <= ahead.span ? 'close' : 'open';
}
