import type { Clock } from '../../domain/clock.ts';
import type { Failure, Json } from '../../state/journal.ts';

/** What a step may use besides its own context. */
export interface StepIo {
  readonly clock: Clock;
  /** Aborted by the step's deadline, by the loss of the lease, or by whoever started the run. */
  readonly signal: AbortSignal;
  /**
   * Throws unless the lease holds at this instant: ask right before each effect of an act that has waited, or that has
   * more than one.
   */
  check(): void;
  /** Tells people what the step waits for. Not durable. */
  progress(message: string): void;
}

/** What a step found out for the steps after it; merged into the run's facts. */
interface Found<F> {
  readonly evidence: Json;
  readonly facts?: Partial<F>;
}

/** `done`: the effect is there; don't act. `refused`: a safety check forbids to go on. */
export type Observation<F> =
  | ({ readonly kind: 'done' } & Found<F>)
  | { readonly kind: 'todo' }
  | { readonly kind: 'refused'; readonly error: Failure };

/** What the world says after the act. `pending` is asked again until the step's deadline. */
export type Verdict<F> =
  | ({ readonly kind: 'done' } & Found<F>)
  | { readonly kind: 'pending'; readonly waitingFor: string }
  | { readonly kind: 'failed'; readonly error: Failure };

/**
 * One step of a runbook, as data. `C` is what the run was started with, `F` what it has found out so far.
 * A run may begin again at any instant: `observe` must recognise the effect of an earlier run's act.
 */
export interface Step<C, F> {
  /** Stable, kebab-case: stands in journals and reports. */
  readonly id: string;
  /** What it does, as an imperative with real values. */
  readonly title: string;
  observe(context: C, facts: Partial<F>, io: StepIo): Promise<Observation<F>>;
  /** The effect. Called at most once per run, after `step-started` is durable. */
  act(context: C, facts: Partial<F>, io: StepIo): Promise<void>;
  /** Looks at the world, never at the act's answer. */
  verify(context: C, facts: Partial<F>, io: StepIo): Promise<Verdict<F>>;
  /** Takes the effect back while the point of no return is not reached. Undefined evidence: there was nothing to take back. */
  compensate?(context: C, facts: Partial<F>, io: StepIo): Promise<Json | undefined>;
  /** Whom it waits for, for people: their time is not Argus' own. Absent: what it does is. */
  readonly waitsFor?: string;
  /** For observe, act and verify together. */
  readonly timeoutMs: number;
  /** Between two looks of `verify`; 250 ms when absent. */
  readonly pollMs?: number;
  /** `stop`: later steps don't run. `continue`: the failure is reported and the run goes on. */
  readonly onFailure: { readonly kind: 'stop' | 'continue'; readonly hint: string };
  /** From this step's act on, nothing is taken back. */
  readonly pointOfNoReturn?: true;
  /** What a person would type instead, with real values and without secrets. */
  readonly manual: readonly string[];
}
