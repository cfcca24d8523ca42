import type { Failure } from '../../state/journal.ts';
import type { StepWords } from '../failover/failover-step.ts';
import type { PlanView } from '../failover/gather-plan-view.ts';
import { planFailover, suspendedRefusal } from '../failover/plan.ts';
import type { UsualTime } from '../plan/durations.ts';
import type { PlanBasis } from '../plan/plan-file.ts';
import type { SwitchoverContext } from './context.ts';
import { type ManualView, manualCommands } from './manual.ts';
import { notReady, type Readiness } from './readiness.ts';
import {
  notProven,
  pointOfNoReturn,
  type StartedThere,
  type SwitchoverStepId,
  savepointRoot,
  switchoverStepIds,
} from './switchover-step.ts';

export interface PlannedSwitchoverStep extends StepWords {
  readonly id: SwitchoverStepId;
  /** `done`: its effect is there already. */
  readonly state: 'todo' | 'done';
  /** How long it took in earlier runs; null: none has done it. */
  readonly usual: UsualTime | null;
}

/** What a switchover would do now. Printed before anything happens. */
export interface SwitchoverPlan {
  readonly from: string;
  readonly to: string;
  /** The interrupted run that this one goes on with. */
  readonly resumes?: string;
  readonly steps: readonly PlannedSwitchoverStep[];
  /** The step from which on nothing is taken back. */
  readonly pointOfNoReturn: SwitchoverStepId;
  /** Records that the standby lacks now; null: not known. */
  readonly lagRecords: number | null;
  /** Any of them: refused, exit code 3. */
  readonly blockers: readonly Failure[];
  readonly warnings: readonly string[];
  /** What it relies on. */
  readonly basis: PlanBasis;
  /** The lease as it was read when it was made: whoever was at work then, or since, may have moved the world. */
  readonly leaseMark?: string;
}

export interface SwitchoverView {
  readonly context: Omit<SwitchoverContext, 'epoch'>;
  readonly readiness: Readiness;
  /** What a failover would find. */
  readonly failover: PlanView;
  /** With all of them nothing is asked of the old primary any more. */
  readonly started: StartedThere;
  readonly usualTimes: ReadonlyMap<string, UsualTime>;
}

/** Blockers of a failover that are none here: the primary is asked by `notReady`, and the jobs end with a savepoint. */
const notHere: ReadonlySet<string> = new Set([
  'PrimaryUnfenced',
  'NoRecoveryPoint',
  'ClaimImpossible',
  'ReplicationSuspended',
]);

/** The plan of a switchover from what was observed. Pure. */
export function planSwitchover(view: SwitchoverView): SwitchoverPlan {
  const { context, readiness, failover, started } = view;
  const takenOver = started === 'all';
  const { primary, standby, roles } = context;
  const shared = planFailover(failover);
  const words = new Map<string, StepWords>(shared.steps.map((s) => [s.id, s]));
  const sharedStates = new Map<string, string>(shared.steps.map((s) => [s.id, s.state]));
  const own = ownWords(context);
  const unproven = notProven(context, started);
  const blockers = [
    ...(unproven === undefined ? [] : [unproven]),
    ...(roles.replication === 'suspended' && !takenOver ? [suspendedRefusal(roles)] : []),
    ...(takenOver ? [] : notReady(readiness, context)),
    ...shared.blockers.filter((b) => !notHere.has(b.code)),
  ];
  const warnings: string[] = [];
  if (context.producersStopped && readiness.producers.kind === 'no-means') {
    warnings.push(`that nobody writes to ${primary.name} rests on your word, and on its logs standing still`);
  }
  for (const { config } of context.jobs.filter((j) => j.config.writes === undefined)) {
    warnings.push(
      `${config.name} declares no topics that it writes (jobs.writes): which of its output is mirrored is not known`,
    );
  }
  return {
    from: primary.name,
    to: standby.name,
    ...(failover.resumes === undefined ? {} : { resumes: failover.resumes }),
    steps: switchoverStepIds
      .filter((id) => id !== 'end-drill' || words.has(id))
      .map((id) => {
        const { title, manual: lines } = own[id] ?? words.get(id) ?? { title: id, manual: [] };
        const manual = lines.map((line) => fromSavepoints(line, shared.recoveryPoints));
        const state = isDone(id, view) || sharedStates.get(id) === 'done' ? 'done' : 'todo';
        return { id, title, manual, state, usual: view.usualTimes.get(id) ?? null };
      }),
    pointOfNoReturn,
    lagRecords: readiness.lagRecords ?? null,
    blockers,
    warnings,
    basis: basisOf(view, shared.basis),
  };
}

/** What a failover relies on, but for its recovery points: the savepoints are still to be taken. */
function basisOf({ readiness }: SwitchoverView, shared: PlanBasis): PlanBasis {
  const kept = Object.entries(shared).filter(([name]) => !name.startsWith('recovery point of '));
  return { ...Object.fromEntries(kept), steps: switchoverStepIds.join(', '), producers: readiness.producers.kind };
}

/** A failover's command starts a job from its newest checkpoint; here it is the savepoint's copy that it starts from. */
function fromSavepoints(line: string, points: readonly { readonly job: string; readonly uri: string }[]): string {
  return points.reduce((text, { job, uri }) => text.replaceAll(uri, `<the copy of ${job}’s savepoint>`), line);
}

/** Whether a step's effect is there, of those that a failover has not. Pure. */
function isDone(id: SwitchoverStepId, { readiness, started }: SwitchoverView): boolean {
  const takenOver = started === 'all';
  switch (id) {
    case 'deny-producers':
      return takenOver || readiness.producers.kind === 'denied';
    case 'stop-with-savepoint':
      return takenOver || readiness.jobs.every(({ found }) => 'kind' in found && found.kind === 'stopped');
    default:
      return false;
  }
}

function ownWords(context: SwitchoverView['context']): Readonly<Partial<Record<SwitchoverStepId, StepWords>>> {
  const { primary, standby, config, roles } = context;
  const jobs = list(context.jobs.map((j) => j.config.name));
  const topics = list(config.topics);
  const view: ManualView = {
    config,
    primary: primary.name,
    standby: standby.name,
    bucketUri: primary.objects.uri,
    savepointFolders: Object.fromEntries(
      context.jobs.map(({ config: job }) => [job.name, savepointRoot(roles.epoch, job)]),
    ),
  };
  const manual = manualCommands(view);
  const titles: Readonly<Record<keyof typeof manual, string>> = {
    'check-ready': `See that ${standby.name} is ready: mirror at hand, ${jobs} running on ${primary.name}`,
    'deny-producers': `Keep the producers from writing to ${primary.name}, and see it`,
    'await-catch-up': `Wait until ${jobs} read what stands on ${primary.name}`,
    'stop-with-savepoint': `Stop ${jobs} on ${primary.name} with a savepoint, without draining`,
    'deny-jobs': `Keep the jobs' principals from writing to ${primary.name}`,
    'prove-ends': `Prove that ${topics} end at the same offsets on both sides`,
    'copy-savepoints': `Bring the savepoints to ${standby.name}, relocated`,
    'open-mirror': `Let the mirror write to ${primary.name}`,
    promote: `Make ${standby.name} the primary (roles epoch ${roles.epoch + 1}); it is mirrored back to ${primary.name} at once`,
  };
  return Object.fromEntries(
    Object.entries(titles).map(([id, title]) => [id, { title, manual: manual[id as keyof typeof manual] }]),
  );
}

const list = (words: readonly string[]) => words.join(', ');
