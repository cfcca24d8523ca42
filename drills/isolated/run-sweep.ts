import { bubbleOf } from '../../domain/bubble.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { RunEvent } from '../../runbooks/engine/run.ts';
import type { Step } from '../../runbooks/engine/step.ts';
import { type LocalProcesses, runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { evidence } from '../../runbooks/failover/failover-step.ts';
import { drillState } from '../../state/drills.ts';
import type { Failure } from '../../state/journal.ts';
import { bubbleSites, bubbleState, type DrillSite } from '../bubble-region.ts';
import { type SweepContext, type Swept, sweepDrills } from './sweep.ts';

/** The runbook of a run that only cleans up. */
const cleanRunbook = 'drill-clean';

export interface SweepOptions {
  readonly state: ObjectStore;
  readonly clock: Clock;
  /** The run's name, as of a drill. */
  readonly run: string;
  readonly by: string;
  /** Looked through in any case; others as far as notes name them. */
  readonly region: string;
  readonly sites: ReadonlyMap<string, DrillSite>;
  readonly processes?: LocalProcesses | undefined;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWaiting?: (message: string) => void;
}

/** Sweeps under the drills' lease, journalled; `error`: not all could be removed. A drill at work is `LeaseHeld` (exit code 3). */
export async function sweepUnderLease(options: SweepOptions): Promise<Swept & { readonly error?: Failure }> {
  const { state, sites, region, by, run, clock, signal, onEvent, onWaiting } = options;
  let swept: Swept | undefined;
  const step: Step<SweepContext, object> = {
    id: 'sweep',
    title: `Remove what drills left in ${region}`,
    timeoutMs: 300_000,
    onFailure: { kind: 'stop', hint: 'mend what stands against it, then run `argus drill clean` again' },
    manual: [],
    async observe() {
      return { kind: 'todo' };
    },
    async act(context, _facts, io) {
      swept = await sweepDrills(context, io);
    },
    async verify() {
      if (swept === undefined) return { kind: 'pending', waitingFor: 'what drills left to be gone' };
      return { kind: 'done', evidence: evidence(swept) };
    },
  };
  const result = await runUnderLease<SweepContext, object>({
    state: drillState(state),
    clock,
    run,
    holder: by,
    processes: options.processes,
    runbook: cleanRunbook,
    by,
    steps: [step],
    context: () => ({
      state: bubbleState(state, bubbleOf(run)),
      region,
      siteOf: bubbleSites(sites),
    }),
    details: { kind: 'clean', region },
    resumeHint: 'run `argus drill clean` again',
    signal,
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(onWaiting === undefined ? {} : { onWaiting }),
  });
  const { error } = result;
  return { removed: {}, left: [], ...swept, ...(error === undefined ? {} : { error }) };
}
