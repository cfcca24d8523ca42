import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FailoverPlan } from '../../runbooks/failover/plan.ts';
import { killedAtEachStep, killPoints } from '../support/kill-at-entry.ts';
import { auditAfterFailover, failover, primaryGone } from '../support/kill-failover.ts';
import type { LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// Each point has a lab of its own: behind a failover there is no other.
describe.each(killPoints())('argus failover, killed at each step: %s', (point) => {
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

  test('brings the platform up all the same', { timeout: 1_800_000 }, async () => {
    await killedAtEachStep(lab, story, failover, plan.steps.slice(0, -1), point, console.log);
    expect(await story.json(failover)).toMatchObject({ outcome: 'done', to: names.standby });
    await story.acknowledgedBy(names.standby);
    await story.takes(names.standby, 100);
  });

  // Events that the killed primary had written and never answered may lie in its log alone: nobody was promised these.
  test('and the auditor finds nothing doubled, nothing misordered, and every count right', async () => {
    expect(await auditAfterFailover(lab, story)).toMatchObject({
      oldPrimaryRead: true,
      vanished: 0,
      duplicated: 0,
      misordered: 0,
      flink: { wrongCounts: 0 },
      outputDuplicates: 0,
    });
  });
});
