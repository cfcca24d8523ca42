import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FailoverPlan } from '../../runbooks/failover/plan.ts';
import { auditAfterFailover, failover, primaryGone } from '../support/kill-failover.ts';
import { type LabStory, says } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// In two parts, each with a lab of its own: whoever goes on waits 15 s for the lease of a process that was killed.
describe.each([
  ['begins', '…'],
  ['has ended', '✓'],
] as const)('argus failover, killed when each step %s', (_when, mark) => {
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

  test('brings the platform up all the same', async () => {
    // At the end of the last step the run may end before the kill arrives.
    for (const { title } of mark === '✓' ? plan.steps.slice(0, -1) : plan.steps) {
      await story.killedAt(failover, says(mark, title));
    }
    expect(await story.json(failover)).toMatchObject({ outcome: 'done', to: names.standby });
    await story.acknowledgedBy(names.standby);
    await story.takes(names.standby, 100);
  });

  test('and the auditor finds nothing doubled, nothing misordered, and every count right', async () => {
    expect(await auditAfterFailover(lab, story)).toMatchObject({
      lostUnknown: 0,
      duplicated: 0,
      misordered: 0,
      flink: { wrongCounts: 0 },
      outputDuplicates: 0,
    });
  });
});
