import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FailoverPlan } from '../../runbooks/failover/plan.ts';
import { beginStory, type LabStory } from './lab-story.ts';

/** The failover of a primary that is gone, without asking. */
export const failover = ['failover', '--yes', '--accept-unfenced'];

/** Traffic, then a primary that is killed, and what a failover would do about it. */
export async function primaryGone(lab: Lab): Promise<{ readonly story: LabStory; readonly plan: FailoverPlan }> {
  const story = await beginStory(lab, 100);
  await lab.regions[names.primary].kill();
  const plan = await story.until('a failover that nothing blocks', async () => {
    const seen = (await story.json([...failover, '--dry-run'], [0, 3])) as unknown as FailoverPlan;
    return seen.blockers.length === 0 ? seen : undefined;
  });
  return { story, plan };
}

/** What the auditor finds at the end, with the old primary's log back. */
export async function auditAfterFailover(lab: Lab, story: LabStory) {
  await story.endTraffic(names.standby);
  await lab.link('outside', names.primary).cut();
  await lab.regions[names.primary].start('kafka');
  return story.audit(names.standby);
}
