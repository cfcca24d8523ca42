import { z } from 'zod';
import type { FailoverPlan } from '../runbooks/failover/plan.ts';
import type { PlanFile } from '../runbooks/plan/plan-file.ts';
import { planFileOf } from './plan-files.ts';

/** What the command was asked for when a plan was made. */
export const planOptions = z.strictObject({
  acceptUnfenced: z.boolean().exactOptional(),
  acceptOutputGap: z.boolean().exactOptional(),
  acceptDataLoss: z.union([z.int().min(0), z.literal('unknown')]).exactOptional(),
  outageAt: z.int().exactOptional(),
});

/** A plan with what it was asked for, as a file for review. Pure. */
export function failoverPlanFile(
  plan: FailoverPlan,
  { acceptUnfenced, acceptOutputGap, acceptDataLoss, outageAt }: z.output<typeof planOptions>,
  made: Pick<PlanFile, 'madeAtMs' | 'madeBy'>,
): PlanFile {
  return planFileOf(plan, {
    runbook: 'failover',
    ...made,
    options: {
      ...(acceptUnfenced ? { acceptUnfenced } : {}),
      ...(acceptOutputGap ? { acceptOutputGap } : {}),
      ...(acceptDataLoss === undefined ? {} : { acceptDataLoss }),
      ...(outageAt === undefined ? {} : { outageAt }),
    },
    recoveryPoints: plan.recoveryPoints.map(({ job, flinkJobId, checkpointId, completedAtMs }) => ({
      job,
      flinkJobId,
      checkpointId,
      completedAtMs,
    })),
  });
}
