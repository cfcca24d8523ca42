import type { Step } from '../engine/step.ts';
import type { FailoverContext, FailoverFacts } from '../failover/context.ts';
import type { StepWords } from '../failover/failover-step.ts';
import { awaitCheckpoint } from '../failover/steps/await-checkpoint.ts';
import { endDrill } from '../failover/steps/end-drill.ts';
import { endTransactions } from '../failover/steps/end-transactions.ts';
import { flipNames } from '../failover/steps/flip-names.ts';
import { freezeMirror } from '../failover/steps/freeze-mirror.ts';
import { prepareRestore } from '../failover/steps/prepare-restore.ts';
import { promote } from '../failover/steps/promote.ts';
import { releaseAcls } from '../failover/steps/release-acls.ts';
import { sealMirror } from '../failover/steps/seal-mirror.ts';
import { startJobs } from '../failover/steps/start-jobs.ts';
import { syncGroups } from '../failover/steps/sync-groups.ts';
import { verifyNames } from '../failover/steps/verify-names.ts';
import type { PlannedSwitchoverStep } from './plan.ts';
import { awaitCatchUp } from './steps/await-catch-up.ts';
import { checkReady } from './steps/check-ready.ts';
import { copySavepoints } from './steps/copy-savepoints.ts';
import { denyJobs, denyProducers, openMirror } from './steps/deny-writers.ts';
import { proveEnds } from './steps/prove-ends.ts';
import { stopWithSavepoint } from './steps/stop-with-savepoint.ts';
import type { SwitchoverStep, SwitchoverStepId } from './switchover-step.ts';

type Shared = Step<FailoverContext, FailoverFacts>;

/** The runbook: the plan's steps with their behaviour. Those that a failover has too are its own. */
export function switchoverSteps(
  plan: { readonly steps: readonly Pick<PlannedSwitchoverStep, 'id' | 'title' | 'manual'>[] },
  limits: { readonly drainMs: number; readonly catchUpMs: number },
): readonly SwitchoverStep[] {
  const make: Record<SwitchoverStepId, (words: StepWords) => SwitchoverStep> = {
    'check-ready': checkReady,
    'deny-producers': denyProducers,
    'await-catch-up': (words) => awaitCatchUp(words, limits.catchUpMs),
    'stop-with-savepoint': stopWithSavepoint,
    'deny-jobs': denyJobs,
    // A mirror that doesn't answer has not proven where it ended: then the switchover gives up, and nobody is shut out.
    'freeze-mirror': (words) => shared(freezeMirror(words, limits.drainMs, 'give-up')),
    'prove-ends': proveEnds,
    'seal-mirror': (words) => shared(sealMirror(words)),
    'copy-savepoints': copySavepoints,
    'sync-groups': (words) => shared(syncGroups(words)),
    'prepare-restore': (words) => shared(prepareRestore(words, 0)),
    // Whoever moves without need doesn't go on to a side that may still refuse its writers.
    'release-acls': (words) => stopping(shared(releaseAcls(words))),
    'end-drill': (words) => shared(endDrill(words)),
    'start-jobs': (words) => shared(startJobs(words)),
    'end-transactions': (words) => shared(endTransactions(words)),
    'open-mirror': openMirror,
    promote: (words) => shared(promote(words, 'active')),
    'flip-names': (words) => shared(flipNames(words)),
    'await-checkpoint': (words) => shared(awaitCheckpoint(words)),
    'verify-names': (words) => shared(withoutPrimaryEnds(verifyNames(words))),
  };
  return plan.steps.map(({ id, title, manual }) => make[id]({ title, manual }));
}

/** A failover's step, with this command in its hint. */
function shared(step: Shared): SwitchoverStep {
  const hint = step.onFailure.hint.replaceAll('argus failover', 'argus switchover');
  return { ...step, onFailure: { ...step.onFailure, hint } };
}

const stopping = (step: SwitchoverStep): SwitchoverStep => ({
  ...step,
  onFailure: { ...step.onFailure, kind: 'stop' },
});

/** The old primary's logs grow again by then: they are mirrored to. */
function withoutPrimaryEnds(step: Shared): Shared {
  return {
    ...step,
    verify(context, { primaryEnds: _, ...facts }, io) {
      return step.verify(context, facts, io);
    },
  };
}
