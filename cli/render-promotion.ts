import { formatMs } from '../health/render-status.ts';
import { decideOpenTransactions, type OpenTransaction } from '../replication/topics/decide-transactions.ts';
import type { PromotionReport } from '../runbooks/promotion/run-promotion.ts';
import { transactionLines } from './render-failover.ts';
import { reportedStepLines } from './render-steps.ts';

/** The open transactions, and what a promotion would do with each now. Pure. */
export function renderOpenTransactions(
  open: readonly OpenTransaction[],
  commit: readonly string[],
  nowMs: number,
): string {
  if (open.length === 0) return 'no transaction stands open on the standby\n';
  const { own, foreign } = decideOpenTransactions(open, { asked: commit, preCommitted: [] });
  const line = (t: OpenTransaction, what: string) => {
    const whose = t.sourceProducerId === undefined ? 'producer unknown' : `producer ${t.sourceProducerId}`;
    const since = t.sinceMs === undefined ? '' : `, for ${formatMs(Math.max(0, nowMs - t.sinceMs))}`;
    const from = t.firstOffset === undefined ? 'no record yet' : `from offset ${t.firstOffset}`;
    return `  ${t.topic}-${t.partition}: ${whose}, ${from}${since}; ${t.transactionalId ?? 'its id is not known'}: ${what}`;
  };
  return `${[
    'open transactions on the standby:',
    ...own.map((d) => line(d.transaction, d.outcome === 'commit' ? 'to be committed' : 'to be aborted')),
    ...foreign.map((t) =>
      line({ ...t, sourceProducerId: t.producerId }, "not the mirror's: left alone, its readers wait"),
    ),
  ].join('\n')}\n`;
}

/** What a promotion did: where each partition's mirrored data ends, and what became of the rest. Pure. */
export function renderPromotion(report: PromotionReport): string {
  const out = [`promotion ${report.run}: ${report.outcome}, ${report.from} → ${report.to}`];
  out.push(...reportedStepLines(report.steps));
  if (report.promotedAt.length > 0) {
    out.push(`mirrored data ends at${report.drained ? ' (all that the primary had)' : ''}:`);
    for (const p of report.promotedAt) out.push(`  ${p.topic}-${p.partition}  ${p.offset}`);
  }
  out.push(...transactionLines(report));
  for (const id of report.unmatchedCommits) out.push(`nothing to commit for ${id}: no such transaction stood open`);
  if (report.outcome === 'done')
    out.push(report.writeDenied ? "the mirror's principal is denied WRITE" : "the mirror's principal keeps its WRITE");
  if (report.error) {
    out.push(`error: ${report.error.message}`);
    if (report.error.hint !== undefined) out.push(`hint: ${report.error.hint}`);
  }
  return `${out.join('\n')}\n`;
}
