import { type LogRange, largerOf, smallerOf } from '../../domain/offsets.ts';
import type { LogDifference } from './verify-batches.ts';

/** One partition of the standby's topic, compared with the source's. */
export interface ReseedView extends LogRange {
  /** The source's range; undefined when it has no such partition. */
  readonly source: { readonly start: bigint; readonly end: bigint } | undefined;
  /** The standby holds placeholders only. */
  readonly placeholders: boolean;
  /** The first difference in what both hold; undefined when there is none. */
  readonly difference: LogDifference | undefined;
}

/** Offsets that the standby alone has. */
export interface ReseedLoss {
  readonly partition: number;
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
  readonly why: string;
}

/** What would be lost for good by deleting the standby's topic, ordered by offsets; pure. */
export function reseedLosses(views: readonly ReseedView[]): readonly ReseedLoss[] {
  return views.flatMap((view) => {
    const { partition, logStartOffset: start, logEndOffset: end, source } = view;
    if (start >= end || view.placeholders) return [];
    if (!source) return [{ partition, from: start, to: end, why: 'the source has no such partition' }];
    const losses: ReseedLoss[] = [];
    const kept = smallerOf(source.start, end);
    if (start < kept) losses.push({ partition, from: start, to: kept, why: 'the source has deleted these' });
    // Where a difference was found, all behind it is taken for different.
    const same = smallerOf(view.difference?.offset ?? source.end, end);
    const from = largerOf(same, kept);
    if (from < end) losses.push({ partition, from, to: end, why: whyForeign(view) });
    return losses;
  });
}

function whyForeign({ difference, source }: ReseedView): string {
  return difference
    ? `the source has other records from there on (${difference.what})`
    : `the source's log ends at ${source?.end}`;
}

/** How many records are lost at most: holes in a log count as well. */
export function lossCount(losses: readonly ReseedLoss[]): bigint {
  return losses.reduce((sum, { from, to }) => sum + (to - from), 0n);
}
