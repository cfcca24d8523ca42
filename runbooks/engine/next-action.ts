import type { JournalEntry } from '../../state/journal.ts';

/** What the decision needs to know of a step. */
export interface StepShape {
  readonly id: string;
  readonly onFailure: 'stop' | 'continue';
  readonly pointOfNoReturn: boolean;
  readonly compensable: boolean;
}

export type NextAction =
  | { readonly kind: 'step'; readonly index: number }
  /** Take back this step's effect; asked again until none is left. */
  | { readonly kind: 'compensate'; readonly index: number }
  | { readonly kind: 'finish'; readonly outcome: 'done' | 'failed' | 'refused' | 'interrupted' };

type StepState = 'started' | 'finished' | 'failed' | 'refused' | 'compensated';

/**
 * What a run does next, from its own journal alone. Pure.
 * Steps run in their order, each once; after one that failed (and stops) or an interruption nothing more is begun,
 * and what was begun before the point of no return is taken back, the last first.
 */
export function nextAction(steps: readonly StepShape[], entries: readonly JournalEntry[]): NextAction {
  const state = new Map<string, StepState>();
  let interrupted = false;
  for (const { fact } of entries) {
    if (fact.kind === 'step-started') state.set(fact.step, 'started');
    else if (fact.kind === 'step-finished') state.set(fact.step, 'finished');
    else if (fact.kind === 'step-failed') state.set(fact.step, fact.status);
    else if (fact.kind === 'step-compensated') state.set(fact.step, 'compensated');
    else if (fact.kind === 'run-interrupted') interrupted = true;
  }
  // A step that failed and one that was refused stay what they were when their effect is taken back.
  const failed = entries.some(({ fact }) => fact.kind === 'step-failed' && stops(steps, fact.step));
  const refused = entries.some(({ fact }) => fact.kind === 'step-failed' && fact.status === 'refused');
  if (!failed && !interrupted) {
    const index = steps.findIndex((s) => !state.has(s.id));
    return index < 0 ? { kind: 'finish', outcome: 'done' } : { kind: 'step', index };
  }
  const index = isPastReturn(steps, entries) ? -1 : steps.findLastIndex((s) => s.compensable && begun(state.get(s.id)));
  if (index >= 0) return { kind: 'compensate', index };
  return { kind: 'finish', outcome: interrupted ? 'interrupted' : refused ? 'refused' : 'failed' };
}

/** Whether the act of a step marked as point of no return was begun, or its effect was found. Pure. */
export function isPastReturn(steps: readonly StepShape[], entries: readonly JournalEntry[]): boolean {
  return entries.some(
    ({ fact }) =>
      (fact.kind === 'step-started' || fact.kind === 'step-finished') &&
      steps.some((s) => s.id === fact.step && s.pointOfNoReturn),
  );
}

const stops = (steps: readonly StepShape[], id: string) => steps.find((s) => s.id === id)?.onFailure !== 'continue';

const begun = (state: StepState | undefined) => state === 'started' || state === 'finished' || state === 'failed';
