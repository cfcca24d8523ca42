import type { Failure, Json } from '../../state/journal.ts';

type StepStatus = 'done' | 'already' | 'failed' | 'refused' | 'interrupted' | 'not-run';

/** What became of one step. */
export interface StepResult {
  readonly id: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAtMs?: number;
  readonly ms: number;
  /** How much of that went by in waiting for `waitsFor`. */
  readonly waitedMs?: number;
  readonly waitsFor?: string;
  readonly evidence?: Json;
  readonly error?: Failure;
}

/** What a report says of one step. */
export type ReportedStep = Pick<StepResult, 'id' | 'title' | 'ms' | 'status' | 'error'>;

/** The steps of a run as its report tells them: without what only the journal needs. Pure. */
export function reportedSteps(steps: readonly StepResult[]): readonly ReportedStep[] {
  return steps.map(({ id, title, ms, status, error }) => ({
    id,
    title,
    ms,
    status,
    ...(error === undefined ? {} : { error }),
  }));
}

/** The steps of a run as its journal names them from the beginning: also those that are never begun. Pure. */
export function plannedSteps(
  steps: readonly { readonly id: string; readonly title: string; readonly waitsFor?: string }[],
): readonly { readonly id: string; readonly title: string; readonly waitsFor: string | undefined }[] {
  return steps.map(({ id, title, waitsFor }) => ({ id, title, waitsFor }));
}

export interface RunResult<F> {
  readonly run: string;
  /** When it was begun. */
  readonly startedAtMs?: number;
  readonly epoch: number;
  readonly outcome: 'done' | 'failed' | 'refused' | 'interrupted';
  readonly steps: readonly StepResult[];
  readonly facts: Partial<F>;
  /** Steps whose effect was taken back. */
  readonly compensated: readonly string[];
  /** True: nothing was or can be taken back; the run has to be gone on with. */
  readonly pastReturn: boolean;
  /** Why the run did not end well; its hint says what to do next. */
  readonly error?: Failure;
}

/** What happens in a run, for the terminal. Never the source of a decision. */
export type RunEvent =
  | { readonly kind: 'step-started'; readonly step: string; readonly title: string; readonly atMs: number }
  | { readonly kind: 'step-progress'; readonly step: string; readonly message: string; readonly atMs: number }
  | { readonly kind: 'step-ended'; readonly step: string; readonly result: StepResult; readonly atMs: number }
  /** With an error: its effect could not be taken back. */
  | { readonly kind: 'step-compensated'; readonly step: string; readonly atMs: number; readonly error?: Failure };
