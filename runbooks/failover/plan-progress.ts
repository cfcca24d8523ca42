import type { UsualTime } from '../plan/durations.ts';
import type { FailoverStepId } from './failover-step.ts';
import { flipOf } from './flip.ts';
import type { PlanView } from './gather-plan-view.ts';
import { findStandbyJob, isTerminal } from './standby-job.ts';

/** What can be told of a step before it is begun. */
export interface StepOutlook {
  /** `done`: its effect is there already. */
  readonly state: 'todo' | 'done';
  /** Codes of the blockers that stand in its way. */
  readonly blockedBy: readonly string[];
  /** How long it took in earlier runs; null: none has done it. */
  readonly usual: UsualTime | null;
}

/** At which step a blocker stops the run; those that are not named stop it before the first. */
const stepOfBlocker: Readonly<Record<string, FailoverStepId>> = {
  PrimaryUnfenced: 'stop-primary-jobs',
  TopicMissing: 'freeze-mirror',
  NoRecoveryPoint: 'choose-recovery-point',
  ForeignJob: 'start-jobs',
  NoSlots: 'start-jobs',
  NamesUnreachable: 'flip-names',
  NameMissing: 'flip-names',
  NameHoldsOther: 'flip-names',
};

/** The outlook of a step, by what was observed. Pure. */
export function outlookOf(
  id: FailoverStepId,
  view: PlanView,
  blockers: readonly { readonly code: string }[],
): StepOutlook {
  return {
    state: isDone(id, view) ? 'done' : 'todo',
    blockedBy: [...new Set(blockers.map((b) => b.code))].filter((code) => stepOfBlocker[code] === id),
    usual: view.usualTimes?.get(id) ?? null,
  };
}

function isDone(id: FailoverStepId, view: PlanView): boolean {
  const { context } = view;
  switch (id) {
    case 'stop-primary-jobs':
      return (
        view.primaryJobs.kind === 'known' && !view.primaryJobs.value.some((j) => isOurs(j, view) && !isTerminal(j))
      );
    case 'freeze-mirror':
      return view.mirrorFrozen === true;
    case 'sync-groups':
      return liveJobs(view) > 0;
    case 'release-acls':
      return view.withheldAcls?.length === 0;
    case 'prepare-restore':
    case 'start-jobs':
      return context.jobs.length > 0 && liveJobs(view) === context.jobs.length;
    case 'promote':
      return view.rolesEpochInForce === context.roles.epoch + 1;
    case 'flip-names': {
      const addresses = { primary: context.primary.address, standby: context.standby.address };
      return view.records.every(
        ({ name, records }) => records.kind === 'known' && flipOf(name, records.value, addresses).kind === 'already',
      );
    }
    default:
      // It looks anew in every run.
      return false;
  }
}

const isOurs = ({ name }: { readonly name: string }, { context }: PlanView) =>
  context.jobs.some((j) => j.config.name === name);

function liveJobs({ context, standbyJobs }: PlanView): number {
  if (standbyJobs.kind === 'unknown') return 0;
  const epoch = context.roles.epoch + 1;
  return context.jobs.filter((j) => findStandbyJob(standbyJobs.value, epoch, j.config.name).kind === 'live').length;
}
