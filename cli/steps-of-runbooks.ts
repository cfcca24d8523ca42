/** The ids of each runbook's steps, in their order. */
export async function stepsOfRunbooks(): Promise<
  Readonly<Record<'failover' | 'switchover' | 'failback', readonly string[]>>
> {
  const [{ failoverStepIds }, { switchoverStepIds }, { failbackStepIds }] = await Promise.all([
    import('../runbooks/failover/failover-step.ts'),
    import('../runbooks/switchover/switchover-step.ts'),
    import('../runbooks/failback/plan.ts'),
  ]);
  return { failover: failoverStepIds, switchover: switchoverStepIds, failback: failbackStepIds };
}
