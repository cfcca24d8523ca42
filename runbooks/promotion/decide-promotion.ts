import type { Roles } from '../../domain/roles.ts';
import type { Failure } from '../../state/journal.ts';
import { promotionRunbook } from './run-promotion.ts';

export interface PromotionView {
  readonly roles: Roles;
  /** The run whose freeze is in force, with its runbook; undefined while the mirror may run. */
  readonly frozenBy: { readonly run: string; readonly runbook: string | undefined } | undefined;
  /** A failover that was left on the way. */
  readonly openFailover: string | undefined;
  /** Partitions of the mirrored topics that the standby has. */
  readonly partitions: number;
  /** What is to be committed, and stands open nowhere. */
  readonly unmatched: readonly string[];
}

export type PromotionVerdict =
  /** `resumes`: an interrupted promotion to go on with. */
  { readonly kind: 'go'; readonly resumes?: string } | { readonly kind: 'refused'; readonly error: Failure };

/** Whether the standby's Kafka may be promoted by hand now. Pure. */
export function decidePromotion(view: PromotionView): PromotionVerdict {
  const { roles, frozenBy, openFailover } = view;
  if (roles.replication === 'suspended') {
    return refused(
      'AlreadyPromoted',
      `${roles.primary} was promoted already (roles epoch ${roles.epoch}); nothing is mirrored`,
      'see `argus mirror status` and `argus runs list`',
    );
  }
  const failover = openFailover ?? (frozenBy && frozenBy.runbook !== promotionRunbook ? frozenBy.run : undefined);
  if (failover !== undefined) {
    return refused(
      'FailoverUnderWay',
      `a failover is under way, or was left on the way: ${failover}`,
      'run `argus failover` again: it goes on from there',
    );
  }
  if (view.partitions === 0) {
    return refused(
      'TopicMissing',
      `${roles.standby} has none of the mirrored topics`,
      'has `argus daemon` (or `argus mirror run`) ever run?',
    );
  }
  // A run that goes on may have ended them already.
  if (view.unmatched.length > 0 && frozenBy === undefined) {
    return refused(
      'TransactionUnknown',
      `no transaction that the mirror holds open belongs to ${view.unmatched.join(', ')}`,
      '`argus mirror promote --list` shows them',
    );
  }
  return { kind: 'go', ...(frozenBy === undefined ? {} : { resumes: frozenBy.run }) };
}

const refused = (code: string, message: string, hint: string): PromotionVerdict => ({
  kind: 'refused',
  error: { code, message, hint },
});
