import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { SwitchoverPlan } from '../../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import { beginStory, type LabStory, says } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// In two halves, each with a lab of its own: whoever goes on waits 15 s for the lease of a process that was killed.
describe.each(['first', 'second'] as const)('argus switchover, killed at each step of its %s half', (half) => {
  let lab: Lab;
  let story: LabStory;
  let plan: SwitchoverPlan;

  beforeAll(async () => {
    lab = await startTestLab();
    story = await beginStory(lab, 100);
    plan = await story.until('a switchover that nothing blocks', async () => {
      const seen = (await story.json(['switchover', '--dry-run'], [0, 3])) as unknown as SwitchoverPlan;
      return seen.blockers.length === 0 ? seen : undefined;
    });
  });

  afterAll(async () => {
    await story?.stop();
    await lab?.down();
  });

  test('moves the platform all the same, with nothing lost', async () => {
    const middle = Math.ceil(plan.steps.length / 2);
    const steps = half === 'first' ? plan.steps.slice(0, middle) : plan.steps.slice(middle);
    for (const { title } of steps) {
      await story.killedAt(['switchover', '--yes'], says('…', title));
    }
    const report = (await story.json(['switchover', '--yes'])) as unknown as SwitchoverReport;
    expect(report).toMatchObject({ outcome: 'done', to: names.standby, rpo: { provenZero: true } });
    await story.acknowledgedBy(names.standby);
    await story.takes(names.standby, 100);
  });

  test('and the auditor finds every acknowledged event once, in order, and every count right', async () => {
    await story.endTraffic(names.standby);
    const audit = await story.audit(names.standby);
    expect(audit).toMatchObject({
      orphans: 0,
      lost: 0,
      lostUnknown: 0,
      duplicated: 0,
      misordered: 0,
      flink: { wrongCounts: 0 },
      outputDuplicates: 0,
    });
  });
});
