import type { Bubble } from '../../domain/bubble.ts';
import type { JobConfig } from '../../domain/config.ts';
import type { Failure } from '../../state/journal.ts';
import type { DrilledJob } from './context.ts';
import { type ConfiguredJob, drilledJob } from './drilled-jobs.ts';

/** What a plan is made from. */
export interface DrillPlanView {
  readonly bubble: Bubble;
  readonly region: string;
  readonly storeUri: string;
  /** All that are configured. */
  readonly configured: readonly ConfiguredJob[];
  /** The drill's jobs are FlinkDeployments; default: they are started in a session cluster. */
  readonly deployments?: boolean;
  /** Only these, by name; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly ownCluster: boolean;
  /** Absent: nobody looked. */
  readonly unreadableJars?: ReadonlySet<string>;
  /** Of the cluster that the drill's jobs run in; undefined: it didn't say, or they bring their own. */
  readonly slots: { readonly free: number; readonly total: number } | undefined;
}

/** What a drill would start, and why it must not. */
export interface DrillPlan {
  readonly jobs: readonly DrilledJob[];
  readonly blockers: readonly Failure[];
}

/** Which jobs take part and with what names; each that would touch production is a blocker. Pure. */
export function planDrill(view: DrillPlanView): DrillPlan {
  const { bubble, region, storeUri, configured, only, deployments = false } = view;
  const blockers: Failure[] = [];
  const asked = configured.filter(({ config }) => only === undefined || only.includes(config.name));
  const jobs: DrilledJob[] = [];
  for (const [n, each] of asked.entries()) {
    const job = drilledJob(each, n, { region, bubble, storeUri, deployments });
    if ('refused' in job) blockers.push(job.refused);
    else if (!deployments && view.unreadableJars?.has(each.jarPath))
      blockers.push(jarUnreadable(each.config.name, each.jarPath));
    else jobs.push(job);
  }
  const shortage = slotsShort(view, jobs);
  if (shortage !== undefined) blockers.push(shortage);
  return { jobs, blockers };
}

const jarUnreadable = (job: string, path: string): Failure => ({
  code: 'JobJarUnreadable',
  message: `the jar of ${job}, ${path}, can't be read here`,
  hint: 'see jobs[].submit.jar: it is relative to the configuration',
});

/** In the region's own cluster a failover must find its slots free at any time. */
function slotsShort(
  { slots, ownCluster, configured, region }: DrillPlanView,
  jobs: readonly DrilledJob[],
): Failure | undefined {
  if (slots === undefined) return undefined;
  const sum = (all: readonly { readonly config: JobConfig }[]) =>
    all.reduce((total, { config }) => total + (config.submit?.parallelism ?? 1), 0);
  const wanted = sum(jobs);
  const kept = ownCluster ? 0 : sum(configured);
  if (slots.free >= wanted + kept) return undefined;
  const reserve = kept === 0 ? '' : `, and ${kept} have to stay free for a failover`;
  return {
    code: 'NoSlotsForDrill',
    message: `the drill needs ${wanted} task slots in ${region}'s Flink${reserve}: ${slots.free} are free`,
    hint: `give drills a session cluster of their own (drill.regions.${region}.flink.rest), or start more task managers`,
  };
}
