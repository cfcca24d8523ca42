import { ArgusError } from '../../domain/errors.ts';
import type { Fact, JournalEntry } from '../../state/journal.ts';
import type { Step } from './step.ts';

/** What the decision needs to know of a step. */
export interface StepShape {
  readonly id: string;
  readonly onFailure: 'stop' | 'continue';
  readonly pointOfNoReturn: boolean;
  readonly compensable: boolean;
}

/** A step as the decision sees it. */
export const shapeOf = <C, F>({ id, onFailure, pointOfNoReturn, compensate }: Step<C, F>): StepShape => ({
  id,
  onFailure: onFailure.kind,
  pointOfNoReturn: pointOfNoReturn === true,
  compensable: compensate !== undefined,
});

/** `failed` and `refused` say why nothing more is begun; `interrupted`: somebody asked for it. */
export type RunState = 'new' | 'running' | 'failed' | 'refused' | 'interrupted' | 'ended';

/** An entry as it matters to the run: `step-let-go` is the failure or refusal of a step that may fail. */
export type RunEvent =
  | 'run-started'
  | 'step-started'
  | 'step-finished'
  | 'step-let-go'
  | 'step-failed'
  | 'step-refused'
  | 'step-compensating'
  | 'step-compensated'
  | 'run-interrupted'
  | 'run-finished';

/** `acting`: its act may have happened. `taking-back`: what takes it back may have happened. */
export type StepState = 'waiting' | 'acting' | 'done' | 'failed' | 'refused' | 'taking-back' | 'taken-back';

/** An entry as it matters to the step that it names. */
export type StepEvent = 'started' | 'finished' | 'failed' | 'refused' | 'compensating' | 'compensated';

/** What a run becomes; the compiler refuses a gap. */
export const runTable: Readonly<Record<RunState, Readonly<Record<RunEvent, RunState | 'impossible'>>>> = {
  new: row({ 'run-started': 'running' }),
  running: row({
    'step-started': 'running',
    'step-finished': 'running',
    'step-let-go': 'running',
    'step-failed': 'failed',
    'step-refused': 'refused',
    'run-interrupted': 'interrupted',
    'run-finished': 'ended',
  }),
  failed: row({ 'step-compensating': 'failed', 'step-compensated': 'failed', 'run-finished': 'ended' }),
  refused: row({ 'step-compensating': 'refused', 'step-compensated': 'refused', 'run-finished': 'ended' }),
  interrupted: row({
    'step-compensating': 'interrupted',
    'step-compensated': 'interrupted',
    'run-finished': 'ended',
  }),
  ended: row({}),
};

/** What a step becomes. */
export const stepTable: Readonly<Record<StepState, Readonly<Record<StepEvent, StepState | 'impossible'>>>> = {
  // Found done, refused, or failed in its observation: nothing was begun.
  waiting: steps({ started: 'acting', finished: 'done', failed: 'failed', refused: 'refused' }),
  acting: steps({ finished: 'done', failed: 'failed', compensating: 'taking-back' }),
  done: steps({ compensating: 'taking-back' }),
  failed: steps({ compensating: 'taking-back' }),
  refused: steps({}),
  'taking-back': steps({ compensated: 'taken-back' }),
  'taken-back': steps({}),
};

function row(possible: Partial<Record<RunEvent, RunState>>): Record<RunEvent, RunState | 'impossible'> {
  return {
    'run-started': 'impossible',
    'step-started': 'impossible',
    'step-finished': 'impossible',
    'step-let-go': 'impossible',
    'step-failed': 'impossible',
    'step-refused': 'impossible',
    'step-compensating': 'impossible',
    'step-compensated': 'impossible',
    'run-interrupted': 'impossible',
    'run-finished': 'impossible',
    ...possible,
  };
}

function steps(possible: Partial<Record<StepEvent, StepState>>): Record<StepEvent, StepState | 'impossible'> {
  return {
    started: 'impossible',
    finished: 'impossible',
    failed: 'impossible',
    refused: 'impossible',
    compensating: 'impossible',
    compensated: 'impossible',
    ...possible,
  };
}

/** How far a run has come: all that `nextAction` decides from. */
export interface Progress {
  readonly run: RunState;
  /** By the step's id; one that isn't in it is `waiting`. */
  readonly steps: ReadonlyMap<string, StepState>;
  /** The act of a step marked as point of no return was begun, or its effect was found. */
  readonly pastReturn: boolean;
}

/** A run before its first entry. `begun`: steps that dead runs have begun, whose effects this one is to take back. */
export function noProgress(begun: readonly string[] = []): Progress {
  return { run: 'new', steps: new Map(begun.map((id) => [id, 'acting'])), pastReturn: false };
}

/** The progress after one more entry. Pure; an entry that can't come now is `JournalImpossible`. */
export function advance(shapes: readonly StepShape[], progress: Progress, fact: Fact): Progress {
  const shape = 'step' in fact ? shapes.find((s) => s.id === fact.step) : undefined;
  const event = runEvent(fact, shape);
  const run = runTable[progress.run][event];
  if (run === 'impossible') throw impossible(event, `the run is ${progress.run}`);
  const stepEventOf = stepEvent(fact);
  if (stepEventOf === undefined || !('step' in fact) || fact.step === undefined) return { ...progress, run };
  const before = progress.steps.get(fact.step) ?? 'waiting';
  const after = stepTable[before][stepEventOf];
  if (after === 'impossible') throw impossible(event, `${fact.step} is ${before}`);
  return {
    run,
    steps: new Map(progress.steps).set(fact.step, after),
    pastReturn: progress.pastReturn || (shape?.pointOfNoReturn === true && (after === 'acting' || after === 'done')),
  };
}

/** The progress that a journal amounts to; `begun` as in `noProgress`. Pure. */
export function foldProgress(
  shapes: readonly StepShape[],
  entries: readonly Pick<JournalEntry, 'fact'>[],
  begun: readonly string[] = [],
): Progress {
  return entries.reduce((progress, { fact }) => advance(shapes, progress, fact), noProgress(begun));
}

function runEvent(fact: Fact, shape: StepShape | undefined): RunEvent {
  if (fact.kind !== 'step-failed') return fact.kind;
  // Journals of older versions don't say it themselves; steps that hooks added are in no list.
  if (fact.goesOn === true || shape?.onFailure === 'continue') return 'step-let-go';
  return fact.status === 'refused' ? 'step-refused' : 'step-failed';
}

function stepEvent(fact: Fact): StepEvent | undefined {
  switch (fact.kind) {
    case 'step-started':
      return 'started';
    case 'step-finished':
      return 'finished';
    case 'step-failed':
      return fact.status;
    case 'step-compensating':
      return 'compensating';
    case 'step-compensated':
      return 'compensated';
    case 'run-started':
    case 'run-interrupted':
    case 'run-finished':
      return undefined;
    default:
      return fact satisfies never;
  }
}

const impossible = (event: string, why: string) =>
  new ArgusError('JournalImpossible', `${event} can't come now: ${why}`, { exitCode: 4 });
