import type { ReseedLoss } from '../topics/reseed-plan.ts';
import type { WantedRange } from './divergence.ts';

/** What is kept of one partition, verified. */
export interface KeptRanges {
  readonly partition: number;
  readonly ranges: readonly Pick<WantedRange, 'from' | 'to'>[];
}

/**
 * What deleting the old primary's topic would lose: of the offsets that it alone has, those that are not kept and
 * verified. Nothing is deleted unless this is empty. Pure.
 */
export function notKept(losses: readonly ReseedLoss[], kept: readonly KeptRanges[]): readonly ReseedLoss[] {
  return losses.flatMap((loss) => {
    let open = [{ from: loss.from, to: loss.to }];
    for (const { partition, ranges } of kept) {
      if (partition !== loss.partition) continue;
      for (const range of ranges) {
        open = open.flatMap(({ from, to }) =>
          range.to <= from || range.from >= to
            ? [{ from, to }]
            : [
                { from, to: range.from },
                { from: range.to, to },
              ].filter((piece) => piece.from < piece.to),
        );
      }
    }
    return open.map(({ from, to }) => ({ ...loss, from, to }));
  });
}
