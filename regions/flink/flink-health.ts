import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import type { FlinkDeployment, FlinkPod } from './flink-deployment.ts';
import type { FlinkJob, JobHealth } from './flink-jobs.ts';
import type { Trouble } from './flink-reasons.ts';

/** What a job's health is judged by. */
export interface HealthSigns {
  readonly deployment: FlinkDeployment | undefined;
  readonly pods: readonly FlinkPod[];
  readonly trouble: Trouble | undefined;
  /** As the job's REST interface has it; undefined: it is silent, or has no such job. */
  readonly told: Pick<FlinkJob, 'state'> | undefined;
  /** The job's high availability remembers a checkpoint: also the one that it was restored from. */
  readonly hasState: boolean;
  /** It has that memory: a job that has run left its state there. */
  readonly remembers: boolean;
}

/** What is told of a job that is not made anew by itself, since it may have run: nothing remembers how far it got. */
export const ranBefore =
  'it may have run: made anew from its old point it would write its output again; give its object the newest checkpoint that it took in initialSavepointPath, or end it';

/**
 * Whether a ConfigMap of Flink's high availability names a checkpoint: also the one that a job was restored from. Source:
 * `KubernetesUtils.createCompletedCheckpointStore`.
 */
export function holdsCheckpoint({ data }: KubernetesObject): boolean {
  return Object.keys((data as object | null | undefined) ?? {}).some((key) => key.startsWith('checkpointID-'));
}

/**
 * Whether a deployment is as it should be. READY and STABLE are the operator's words since 1.2; before that, DEPLOYED
 * stands for the latter. Pure.
 */
export function judgeHealth({ deployment, pods, trouble, told, hasState, remembers }: HealthSigns): JobHealth {
  const restarts = pods.flatMap(({ containers }) => containers).reduce((sum, each) => sum + each.restarts, 0);
  const { jobManager, lifecycle, reconciliation, jobState } = deployment ?? {};
  const says = Object.fromEntries(
    Object.entries({ jobManager, lifecycle, reconciliation, job: jobState }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
  const worker = pods.some(({ component, phase }) => component === 'taskmanager' && phase === 'Running');
  // Flink says RUNNING as soon as it looks for TaskManagers.
  const runs = told?.state === 'RUNNING' && worker;
  // A job that runs now has left its restarts behind; what else is said of it is told, and no reason to give it up.
  const left = runs && trouble?.restarts === true ? undefined : trouble;
  const why = left?.why ?? unfinished(deployment);
  const sound = runs && left === undefined && why === undefined;
  const kind = sound ? 'sound' : left === undefined || left.hope === 'time' || runs ? 'settling' : kindOf(left);
  const stuck =
    (kind === 'troubled' || kind === 'hopeless') &&
    left?.untouched !== true &&
    (told === undefined || told.state === 'INITIALIZING') &&
    !worker &&
    !hasState;
  const remake = stuck && (remembers || deployment?.listed !== true);
  const hint = stuck && !remake ? { hint: ranBefore } : {};
  return { kind, ...(why === undefined ? {} : { why }), restarts, remake, says, ...hint };
}

const kindOf = ({ hope }: Trouble) => (hope === 'none' ? 'hopeless' : 'troubled');

/** How the operator's word falls short of READY and STABLE; undefined: it doesn't. */
function unfinished(deployment: FlinkDeployment | undefined): string | undefined {
  if (deployment === undefined) return 'its FlinkDeployment is gone';
  const { jobManager = 'nothing', lifecycle, reconciliation, jobState } = deployment;
  if (jobManager !== 'READY') return `the operator says ${jobManager} of its JobManager`;
  if (lifecycle !== undefined && lifecycle !== 'STABLE') return `the operator says ${lifecycle} of its FlinkDeployment`;
  if (lifecycle === undefined && reconciliation !== 'DEPLOYED') {
    return `the operator says ${reconciliation ?? 'nothing'} of its FlinkDeployment`;
  }
  return jobState === 'RUNNING' ? undefined : `the operator says ${jobState ?? 'nothing'} of the job`;
}
