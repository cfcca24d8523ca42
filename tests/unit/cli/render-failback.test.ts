import { expect, test } from 'vitest';
import { renderFailback, renderFailbackPlan } from '../../../cli/render-failback.ts';
import type { FailbackPlan } from '../../../runbooks/failback/plan.ts';
import { planFailback } from '../../../runbooks/failback/plan.ts';
import type { FailbackReport } from '../../../runbooks/failback/run-failback.ts';
import { contextOf, newWorld } from '../runbooks/failback/world.ts';

const report: FailbackReport = {
  run: '20261121T103000Z-failback-1a2b',
  epoch: 3,
  outcome: 'done',
  region: 'mumbai',
  active: 'singapore',
  promotion: 2,
  steps: [{ id: 'rescue-orphans', title: 'Keep', ms: 200, status: 'done' }],
  divergence: { orphans: 1, same: 3 },
  topics: {
    events: {
      orphans: 1_034,
      aborted: 4,
      open: 0,
      older: 20,
      where: 'topic argus.orphans.events in singapore',
      gone: [{ partition: 1, from: '5', to: '9' }],
    },
  },
  orphans: 1_034,
  begunAnew: ['events'],
  promotedAt: [],
  unfenced: false,
  kafkaFenced: 'proven',
  rolesEpoch: 3,
  pastReturn: true,
};

test('a failback tells what it kept, where, what nobody has any more, and what comes next', () => {
  const text = renderFailback(report, { kind: 'ready', lagMs: 10, points: { counts: 7 } });
  expect(text).toContain('events: 1034 orphans (4 in aborted transactions), kept in topic argus.orphans.events');
  expect(text).toContain('events: 20 records that singapore had deleted');
  expect(text).toContain('events-1: [5, 9) is gone everywhere');
  expect(text).toContain('begun anew on mumbai: events');
  expect(text).toContain('ready to switch back with `argus switchover`');
  expect(renderFailback(report)).toContain('mirrored to since the roles of epoch 3');
});

test('one that failed says what to do next', () => {
  const error = { code: 'NotRescued', message: 'x', hint: 'run it again' };
  expect(renderFailback({ ...report, outcome: 'failed', error })).toMatch(/run it again\n$/);
});

test('the plan names each partition that diverged, what is deleted, and where there is no way back', async () => {
  const context = contextOf(await newWorld(), 1);
  const found = await context.findDivergence(AbortSignal.timeout(1_000));
  const plan: FailbackPlan = planFailback(context, found);
  const text = renderFailbackPlan(plan);
  expect(text).toContain('events-0: orphans, shared up to 100, holds [0, 130); orphans [100, 130)');
  expect(text).toContain('deleted on the active side [0, 20)');
  expect(text).not.toContain('clicks-0');
  const [before = '', after = ''] = text.split('no way back');
  expect(before).toContain('Keep what only mumbai has, 50 offsets');
  expect(after).toContain('Delete events on mumbai');
  const refused = planFailback(context, { code: 'OldPrimaryMoves', message: 'it grows' });
  expect(renderFailbackPlan(refused)).toContain('blocker: OldPrimaryMoves: it grows');
});
