import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FailoverPlan } from '../../runbooks/failover/plan.ts';
import { boundaries, killedAtEachStep } from '../support/kill-at-entry.ts';
import { auditAfterFailover, failover, primaryGone } from '../support/kill-failover.ts';
import type { LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story. Every point inside the steps is in tests/full/failover-kills.test.ts.
let lab: Lab;
let story: LabStory;
let plan: FailoverPlan;

beforeAll(async () => {
  lab = await startTestLab();
  ({ story, plan } = await primaryGone(lab));
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** Beside other runs. */
const slow = { timeout: 480_000 };
const newest = async () => {
  const { runs } = (await story.json(['runs', 'list'])) as unknown as { readonly runs: readonly { run: string }[] };
  return runs[0]!.run;
};

test('without a run that was cut off there is nothing to resume; the attempt is noted', async () => {
  await story.json([...failover, '--resume'], [3]);
  const { attempts } = (await story.json(['runs', 'list'])) as unknown as { readonly attempts: readonly object[] };
  expect(attempts[0]).toMatchObject({ what: 'failover', code: 'NothingToResume' });
});

test('killed behind each step up to the point of no return, it is aborted: the mirror goes on', slow, async () => {
  await killedAtEachStep(lab, story, failover, boundaries(plan).before, 'finished');
  const run = await newest();
  const aborted = await story.json(['runs', 'abort', run, '--yes', '--reason', 'false alarm']);
  expect(aborted).toMatchObject({ run, compensated: expect.arrayContaining(['freeze-mirror']), notTakenBack: [] });
  expect(await story.json(['runs', 'show', run])).toMatchObject({ status: 'running', journal: { chained: true } });
  await story.json(['runs', 'abort', run, '--yes'], [3]);
});

test('it is killed behind each of the others, and goes on', slow, async () => {
  await killedAtEachStep(lab, story, failover, boundaries(plan).behind, 'finished');
});

test('past the point of no return an abort is refused', async () => {
  await story.json(['runs', 'abort', await newest(), '--yes'], [3]);
});

test('the last run ends it: one job, the standby serves', async () => {
  const report = await story.json([...failover, '--resume']);
  expect(report).toMatchObject({ outcome: 'done', to: names.standby });
  await story.acknowledgedBy(names.standby);
  await story.takes(names.standby, 100);
});

// Events that the killed primary had written and never answered may lie in its log alone: nobody was promised these.
test('the auditor finds nothing doubled, nothing misordered, and every count right', async () => {
  expect(await auditAfterFailover(lab, story)).toMatchObject({
    oldPrimaryRead: true,
    vanished: 0,
    duplicated: 0,
    misordered: 0,
    flink: { wrongCounts: 0 },
    outputDuplicates: 0,
  });
});
