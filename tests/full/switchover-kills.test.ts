import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { SwitchoverPlan } from '../../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import { killedAtEachStep, killPoints } from '../support/kill-at-entry.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

describe.each(killPoints())('argus switchover, killed at each step: %s', (point) => {
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

  test('moves the platform all the same, with nothing lost', { timeout: 1_800_000 }, async () => {
    await killedAtEachStep(lab, story, ['switchover', '--yes'], plan.steps.slice(0, -1), point, console.log);
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
