import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { toFailure } from '../../runbooks/engine/failures.ts';
import { plannedSteps, type RunEvent } from '../../runbooks/engine/run-result.ts';
import { type LocalProcesses, runUnderLease } from '../../runbooks/engine/under-lease.ts';
import type { Occasion } from '../../runbooks/occasion.ts';
import { type Json, runId } from '../../state/journal.ts';
import type { DrillReport } from '../drill-report.ts';
import type { Fault } from './catalogue.ts';
import type { FaultEyes, FaultHooks, FaultNotes } from './ports.ts';
import { type FaultDrillAbout, faultReport } from './report.ts';
import { deadManMs, type FaultContext, type FaultRecord, faultSteps } from './steps.ts';

/** Who acts, and how it is told. */
export interface DrillActor {
  /** Where drills keep their lease and journal. */
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** `user@host`, process id. */
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWaiting?: (message: string) => void;
  /** Four hex digits, for the run's name; random unless given. */
  readonly random?: () => string;
}

/** A new drill's run, by its name. */
export const newDrillRun = ({ clock, random = () => randomBytes(2).toString('hex') }: DrillActor): string =>
  runId(clock.now(), 'drill', random());

/**
 * Breaks one thing, sees what comes of it, and heals it, under the lease of drills. It is healed also when the drill is
 * stopped or fails; when its process dies, by `healLeft`. A drill that is under way is `LeaseHeld` (exit code 3).
 */
export async function runFaultDrill(
  actor: DrillActor,
  what: {
    readonly fault: Fault;
    readonly hooks: FaultHooks;
    readonly notes: FaultNotes;
    readonly eyes: FaultEyes;
    readonly calm: FaultContext['calm'];
    readonly about: Omit<FaultDrillAbout, 'by' | 'reason'>;
    readonly occasion: Occasion;
  },
): Promise<DrillReport> {
  const { fault, hooks, notes, eyes, calm, occasion } = what;
  const { clock, holder: by } = actor;
  const { trigger, from, to } = what.about;
  const run = newDrillRun(actor);
  const about = { trigger, by, from, to, ...(occasion.reason === undefined ? {} : { reason: occasion.reason }) };
  const record: FaultRecord = {};
  const steps = faultSteps({ fault, hooks }, record);
  const details: Json = JSON.parse(
    JSON.stringify({ ...occasion, kind: 'fault', trigger, fault: fault.name, from, to, steps: plannedSteps(steps) }),
  );
  let report: DrillReport | undefined;
  const { random: _, ...rest } = actor;
  const result = await runUnderLease({
    ...rest,
    run,
    runbook: 'drill',
    purpose: `fault drill ${fault.name}`,
    by,
    details,
    steps,
    context: (epoch): FaultContext => {
      const seconds = Math.ceil(deadManMs(fault, hooks) / 1_000);
      return { fault, hooks, notes, eyes, calm, by, order: { fault: fault.name, run, epoch, from, to, seconds } };
    },
    resumeHint: 'a fault drill is not gone on with: what it broke is healed; begin a new one',
    report: (ended) => {
      report = faultReport(fault, record, ended, about, clock.now());
      return JSON.parse(JSON.stringify(report)) as Json;
    },
  });
  // Without it the journal could not be written to the end, and nothing says that it was healed.
  return (
    report ?? faultReport(fault, record, { ...result, outcome: 'failed', error: errorOf(result) }, about, clock.now())
  );
}

const errorOf = ({ error }: { readonly error?: DrillReport['causes'][number] }) =>
  error ?? toFailure(new Error('the drill broke off'));
