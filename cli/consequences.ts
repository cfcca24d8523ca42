import type { FailbackPlan } from '../runbooks/failback/plan.ts';
import type { FailoverPlan } from '../runbooks/failover/plan.ts';
import type { SwitchoverPlan } from '../runbooks/switchover/plan.ts';
import { lossText } from './render-failover.ts';

/** What a person agrees to with a failover, sentence by sentence. Pure. */
export function failoverConsequences(
  plan: Pick<FailoverPlan, 'from' | 'to' | 'loss' | 'recoveryPoints' | 'steps' | 'pointOfNoReturn'>,
  { acceptUnfenced }: { readonly acceptUnfenced: boolean },
): readonly string[] {
  const { from, to, loss, recoveryPoints } = plan;
  return [
    `${to} becomes the primary in place of ${from}, which is mirrored from no more`,
    ...Object.entries(loss).map(([topic, of]) => `would be lost of ${topic}: ${lossText(of)}`),
    ...recoveryPoints.map(
      (p) => `${p.job} goes on from checkpoint ${p.checkpointId}: it processes again what came later`,
    ),
    ...(acceptUnfenced
      ? [`where ${from} can't be seen stopped it is gone on all the same: its jobs and clients may still write there`]
      : []),
    wayBack(plan, `later the way back is \`argus failback\`, once ${from} is there again`),
  ];
}

/** What a person agrees to with a switchover, sentence by sentence. Pure. */
export function switchoverConsequences(
  plan: Pick<SwitchoverPlan, 'from' | 'to' | 'steps' | 'pointOfNoReturn'>,
): readonly string[] {
  const { from, to } = plan;
  return [
    `producers can't write from when they are denied on ${from} until the names have moved to ${to}`,
    'nothing is lost: where that is not proven it ends, and takes back what it did',
    wayBack(plan, `later the way back is another switchover`),
  ];
}

/** What a person agrees to with a failback, sentence by sentence. Pure. */
export function failbackConsequences(
  plan: Pick<FailbackPlan, 'region' | 'active' | 'beginAnew' | 'steps' | 'pointOfNoReturn'>,
): readonly string[] {
  const { region, active, beginAnew } = plan;
  return [
    `${region} is mirrored to from ${active}; what still runs there is stopped, and its clients are denied`,
    ...(beginAnew.length === 0
      ? []
      : [`deleted on ${region} and made anew, once what only it has is kept: ${beginAnew.join(', ')}`]),
    wayBack(plan, 'the names stay where they are'),
  ];
}

/** Until where it is taken back, and what then. */
function wayBack(
  { steps, pointOfNoReturn }: { readonly steps: readonly { readonly id: string }[]; readonly pointOfNoReturn: string },
  later: string,
): string {
  const at = steps.findIndex((s) => s.id === pointOfNoReturn) + 1;
  return `before step ${at} all is taken back if it fails or you stop it; from there on it can only be gone on with, and ${later}`;
}
