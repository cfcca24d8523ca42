import { formatMs } from '../health/render-status.ts';
import type { FailoverPlan } from '../runbooks/failover/plan.ts';
import type { Hook } from '../runbooks/hooks/hook-steps.ts';
import { lossText } from './render-failover.ts';

/** A step of any runbook, as a plan has it. */
export interface StepToShow {
  readonly id: string;
  readonly title: string;
  readonly manual: readonly string[];
  readonly state?: 'todo' | 'done';
  readonly blockedBy?: readonly string[];
  readonly usual?: { readonly medianMs: number; readonly runs: number } | null;
}

/** A failover's plan for people: steps with the commands that a person would type, losses, blockers. Pure. */
export function renderPlan(plan: FailoverPlan, hooks: readonly Hook[] = []): string {
  const out = [`failover from ${plan.from} to ${plan.to}`];
  if (plan.resumes !== undefined) out.push(`goes on with ${plan.resumes}`);
  out.push(`the outage counts from ${new Date(plan.outage.atMs).toISOString()} (${plan.outage.source})`, '');
  out.push(...stepLines(plan, hooks), '');
  for (const p of plan.recoveryPoints)
    out.push(`recovery point of ${p.job}: checkpoint ${p.checkpointId} (${new Date(p.completedAtMs).toISOString()})`);
  for (const [topic, loss] of Object.entries(plan.loss)) out.push(`${topic}: ${lossText(loss)} would be lost`);
  for (const w of plan.warnings) out.push(`warning: ${w}`);
  for (const b of plan.blockers) out.push(`blocker: ${b.code}: ${b.message}`);
  return `${out.join('\n')}\n`;
}

/** The steps of a plan, what is known of each, the point of no return, and how long it usually takes. Pure. */
export function stepLines(
  plan: { readonly steps: readonly StepToShow[]; readonly pointOfNoReturn: string },
  hooks: readonly Hook[] = [],
): readonly string[] {
  const out: string[] = [];
  const called = (id: string, when: Hook['when']) => {
    for (const h of hooks.filter((hook) => hook.step === id && hook.when === when))
      out.push(`     calls ${h.name}${h.required ? ' (required)' : ''}: ${h.manual}`);
  };
  plan.steps.forEach((step, i) => {
    if (step.id === plan.pointOfNoReturn) out.push('  ── from here on there is no way back ──');
    called(step.id, 'before');
    const done = step.state === 'done' ? ' [is so already]' : '';
    out.push(`  ${i + 1}. ${step.title}${done}${usually(step)}`);
    if (step.blockedBy?.length) out.push(`       blocked: ${step.blockedBy.join(', ')}`);
    for (const line of step.manual) out.push(`       by hand: ${line}`);
    called(step.id, 'after');
  });
  const todo = plan.steps.filter((s) => s.state !== 'done');
  const known = todo.flatMap((s) => s.usual ?? []);
  if (known.length > 0) {
    const sum = formatMs(known.reduce((ms, { medianMs }) => ms + medianMs, 0));
    const all =
      known.length === todo.length ? '' : `, without the ${todo.length - known.length} that no earlier run did`;
    out.push(`  together usually ${sum}${all}`);
  }
  return out;
}

function usually({ usual, state }: StepToShow): string {
  if (usual === undefined || state === 'done') return '';
  if (usual === null) return ' (no earlier run)';
  return ` (usually ${formatMs(usual.medianMs)}, by ${usual.runs} earlier ${usual.runs === 1 ? 'run' : 'runs'})`;
}
