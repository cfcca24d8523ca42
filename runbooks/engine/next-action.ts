import type { Progress, StepShape, StepState } from './transitions.ts';

export type NextAction =
  | { readonly kind: 'step'; readonly index: number }
  /** Take back this step's effect; asked again until none is left. */
  | { readonly kind: 'compensate'; readonly index: number }
  | { readonly kind: 'finish'; readonly outcome: 'done' | 'failed' | 'refused' | 'interrupted' };

/**
 * What a run does next, from its progress alone. Pure.
 * Steps run in their order, each once; after one that failed (and stops) or an interruption nothing more is begun,
 * and what was begun before the point of no return is taken back, the last first.
 */
export function nextAction(shapes: readonly StepShape[], { run, steps, pastReturn }: Progress): NextAction {
  const of = (shape: StepShape): StepState => steps.get(shape.id) ?? 'waiting';
  switch (run) {
    case 'new':
    case 'running': {
      const index = shapes.findIndex((s) => of(s) === 'waiting');
      return index < 0 ? { kind: 'finish', outcome: 'done' } : { kind: 'step', index };
    }
    case 'failed':
    case 'refused':
    case 'interrupted': {
      const index = pastReturn ? -1 : shapes.findLastIndex((s) => s.compensable && begun[of(s)]);
      return index < 0 ? { kind: 'finish', outcome: run } : { kind: 'compensate', index };
    }
    case 'ended':
      throw new RangeError('the run has ended');
    default:
      return run satisfies never;
  }
}

/** Whether a step in this state may have had an effect that still stands. */
const begun: Readonly<Record<StepState, boolean>> = {
  waiting: false,
  acting: true,
  done: true,
  failed: true,
  refused: false,
  'taking-back': false,
  'taken-back': false,
};
