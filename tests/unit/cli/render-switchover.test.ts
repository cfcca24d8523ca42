import { expect, test } from 'vitest';
import { renderSwitchover, renderSwitchoverPlan } from '../../../cli/render-switchover.ts';
import type { SwitchoverPlan } from '../../../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../../../runbooks/switchover/report.ts';

const report: SwitchoverReport = {
  run: '20261121T103000Z-switchover-1a2b',
  epoch: 3,
  outcome: 'done',
  from: 'mumbai',
  to: 'singapore',
  reason: 'kernel upgrade',
  rpo: {
    provenZero: true,
    producers: 'proven',
    partitions: [{ topic: 'events', partition: 0, primaryEnd: '7', standbyEnd: '7' }],
  },
  producersBlockedMs: 12_400,
  rtoMs: 14_000,
  replayedRecords: 0,
  behind: [],
  savepoints: [{ job: 'counts', flinkJobId: 'f', checkpointId: 9, directory: 'argus/savepoints/x' }],
  promotedAt: [],
  groups: [],
  steps: [{ id: 'prove-ends', title: 'Prove', ms: 200, status: 'done' }],
  compensated: [],
  pastReturn: true,
};

test('a switchover tells what is proven, by what, and how long the producers waited', () => {
  expect(renderSwitchover(report)).toBe(`switchover 20261121T103000Z-switchover-1a2b: done, mumbai → singapore
because: kernel upgrade
  prove-ends     200 ms  done
RPO 0, proven: 1 partitions ended at the same offsets on both sides; each producer was seen refused by every leader
producers were kept from writing for 12.4 s
RTO 14.0 s, from the first denial
savepoint of counts: 9, argus/savepoints/x
read on singapore what was not read before: 0
to hand it on: argus report show 20261121T103000Z-switchover-1a2b --out 20261121T103000Z-switchover-1a2b.html
`);
});

test('one that gave up says that the primary is as it was, and claims nothing', () => {
  const text = renderSwitchover({
    ...report,
    outcome: 'failed',
    pastReturn: false,
    rpo: { provenZero: false, producers: 'proven', partitions: [] },
    producersBlockedMs: null,
    rtoMs: null,
    compensated: ['freeze-mirror', 'deny-producers'],
    error: { code: 'EndsDiffer', message: 'events-0: 9 and 7', hint: 'see `argus mirror status`' },
  });
  expect(text).toContain('RPO: nothing is proven\n');
  expect(text).toContain('taken back: freeze-mirror, deny-producers\n');
  expect(text).toContain('before the point of no return: mumbai is the primary as it was\n');
  expect(text).toContain('error: events-0: 9 and 7\nhint: see `argus mirror status`\n');
});

test('a plan shows where there is no way back, and what blocks it', () => {
  const plan: SwitchoverPlan = {
    from: 'mumbai',
    to: 'singapore',
    steps: [
      { id: 'prove-ends', title: 'Prove it', manual: ['kafka-get-offsets.sh'], state: 'done', usual: null },
      { id: 'start-jobs', title: 'Start counts', manual: [], state: 'todo', usual: { medianMs: 650, runs: 2 } },
    ],
    pointOfNoReturn: 'start-jobs',
    lagRecords: null,
    blockers: [{ code: 'NoDaemon', message: 'no daemon has looked at mumbai' }],
    warnings: [],
    basis: {},
  };
  expect(renderSwitchoverPlan(plan)).toBe(`switchover from mumbai to singapore
  1. Prove it [is so already]
       by hand: kafka-get-offsets.sh
  ── from here on there is no way back ──
  2. Start counts (usually 650 ms, by 2 earlier runs)
  together usually 650 ms

singapore lacks an unknown number of records now
blocker: NoDaemon: no daemon has looked at mumbai
`);
});
