import { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import type { FailoverPlan } from '../runbooks/failover/plan.ts';
import type { PlanFile } from '../runbooks/plan/plan-file.ts';

/** What the command was asked for when the plan was made. */
const planOptions = z.strictObject({
  acceptUnfenced: z.boolean().exactOptional(),
  acceptOutputGap: z.boolean().exactOptional(),
  acceptDataLoss: z.union([z.int().min(0), z.literal('unknown')]).exactOptional(),
  outageAt: z.int().exactOptional(),
});

/** What the command was asked for when the plan in this file was made; another field is `PlanInvalid`, exit code 2. Pure. */
export function reviewedOptions(plan: PlanFile, file: string): z.output<typeof planOptions> {
  const parsed = planOptions.safeParse(plan.options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = ['options', ...(issue?.path ?? [])].map(String).join('.');
  throw new ArgusError('PlanInvalid', `${file}: ${field}: ${issue?.message ?? 'not known'}`, {
    exitCode: 2,
    hint: 'write it anew: argus failover --plan-out FILE',
  });
}

/** A plan with what it was asked for, as a file for review. Pure. */
export function failoverPlanFile(
  plan: FailoverPlan,
  { acceptUnfenced, acceptOutputGap, acceptDataLoss, outageAt }: z.output<typeof planOptions>,
  made: Pick<PlanFile, 'madeAtMs' | 'madeBy'>,
): PlanFile {
  return {
    argusPlan: 1,
    runbook: 'failover',
    ...made,
    from: plan.from,
    to: plan.to,
    options: {
      ...(acceptUnfenced ? { acceptUnfenced } : {}),
      ...(acceptOutputGap ? { acceptOutputGap } : {}),
      ...(acceptDataLoss === undefined ? {} : { acceptDataLoss }),
      ...(outageAt === undefined ? {} : { outageAt }),
    },
    steps: plan.steps.map(({ id, title, manual }) => ({ id, title, manual: [...manual] })),
    pointOfNoReturn: plan.pointOfNoReturn,
    recoveryPoints: plan.recoveryPoints.map(({ job, flinkJobId, checkpointId, completedAtMs }) => ({
      job,
      flinkJobId,
      checkpointId,
      completedAtMs,
    })),
    basis: plan.basis,
  };
}
