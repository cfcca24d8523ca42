import type { PlanBasis } from '../plan/plan-file.ts';
import { hashOf } from '../plan/plan-file.ts';
import type { UsedPoint } from './context.ts';
import { failoverStepIds } from './failover-step.ts';
import type { Asked, PlanView } from './gather-plan-view.ts';
import { isTerminal } from './standby-job.ts';

/** What a plan relies on: it is not carried out when any of it has changed. Pure. */
export function basisOf(view: PlanView, points: readonly UsedPoint[]): PlanBasis {
  const { context } = view;
  const { config, primary, standby, roles, jobs } = context;
  // Which topics a pattern means is told apart.
  const { topics, ...settings } = config;
  const point = (job: string) => points.find((p) => p.job === job);
  return {
    configuration: short(hashOf(settings)),
    roles: `epoch ${roles.epoch}, ${roles.primary} to ${roles.standby}`,
    steps: failoverStepIds.join(', '),
    topics: [...topics].sort().join(', '),
    [`jobs on ${primary.name}`]: jobsIn(view, view.primaryJobs),
    [`jobs on ${standby.name}`]: jobsIn(view, view.standbyJobs),
    mirror: told(view.mirroredEnds, (ends) => (view.mirrorFrozen ? `frozen at ${short(hashOf(ends))}` : 'not frozen')),
    'ACLs to release': String(view.withheldAcls?.length ?? 0),
    'goes on with': view.resumes ?? 'no run',
    ...Object.fromEntries(
      jobs.map(({ config: { name } }) => {
        const chosen = point(name);
        const asked = view.choices.find((c) => c.job === name)?.choice.kind !== 'unknown';
        const none = asked ? 'none usable' : "can't be asked";
        const what = chosen === undefined ? none : `checkpoint ${chosen.checkpointId} of ${chosen.flinkJobId}`;
        return [`recovery point of ${name}`, what];
      }),
    ),
    ...Object.fromEntries(
      view.records.map(({ name, records }) => [
        `record ${name}`,
        told(
          records,
          (found) =>
            found
              .map((r) => `${r.id} holds ${r.content}`)
              .sort()
              .join(', ') || 'none',
        ),
      ]),
    ),
  };
}

function jobsIn({ context }: PlanView, asked: PlanView['primaryJobs']): string {
  const names = new Set(context.jobs.map((j) => j.config.name));
  return told(asked, (jobs) => {
    const live = jobs.filter((j) => names.has(j.name) && !isTerminal(j));
    return (
      live
        .map((j) => `${j.name} ${j.id}`)
        .sort()
        .join(', ') || 'none running'
    );
  });
}

const told = <T>(asked: Asked<T>, text: (value: T) => string): string =>
  asked.kind === 'known' ? text(asked.value) : "can't be asked";

const short = (hash: string) => hash.slice(0, 16);
