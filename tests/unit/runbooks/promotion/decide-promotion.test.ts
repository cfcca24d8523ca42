import { expect, test } from 'vitest';
import { decidePromotion, type PromotionView } from '../../../../runbooks/promotion/decide-promotion.ts';
import { roles } from '../failover/world.ts';

const view: PromotionView = { roles, frozenBy: undefined, openFailover: undefined, partitions: 2, unmatched: [] };
const own = { run: 'r-promote', runbook: 'promote' };

test.each<[string, Partial<PromotionView>, string]>([
  ['goes on a standby that is mirrored to', {}, 'go'],
  ['goes on with a promotion that was interrupted', { frozenBy: own }, 'go r-promote'],
  [
    'goes on with one that has ended the transactions to commit already',
    { frozenBy: own, unmatched: ['7'] },
    'go r-promote',
  ],
  ['is refused after a promotion', { roles: { ...roles, replication: 'suspended' } }, 'AlreadyPromoted'],
  ['is refused below a freeze of a failover', { frozenBy: { run: 'f', runbook: 'failover' } }, 'FailoverUnderWay'],
  [
    'is refused below a freeze that nobody can tell whose it is',
    { frozenBy: { run: 'f', runbook: undefined } },
    'FailoverUnderWay',
  ],
  ['is refused while a failover was left on the way', { openFailover: 'f' }, 'FailoverUnderWay'],
  ['is refused where the standby has nothing', { partitions: 0 }, 'TopicMissing'],
  ['is refused for a transaction that stands open nowhere', { unmatched: ['7'] }, 'TransactionUnknown'],
])('a promotion %s', (_, over, expected) => {
  const verdict = decidePromotion({ ...view, ...over });
  const said = verdict.kind === 'go' ? ['go', verdict.resumes].filter(Boolean).join(' ') : verdict.error.code;
  expect(said).toBe(expected);
});
