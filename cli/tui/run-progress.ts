import { formatMs } from '../../health/render-status.ts';
import type { RunEvent } from '../../runbooks/engine/run-result.ts';
import type { JournalEntry, Json } from '../../state/journal.ts';
import { evidenceText } from './evidence-text.ts';
import type { Tone } from './line.ts';

/** A run that is watched: what is known of it before it begins. */
export interface RunAbout {
  readonly run: string;
  readonly runbook: string;
  /** What it is about: `mumbai → singapore`. */
  readonly subject: string;
  readonly steps: readonly {
    readonly id: string;
    readonly title: string;
    /** `done`: it was so already when the plan was made. */
    readonly state?: 'todo' | 'done';
    /** Absent or null: no earlier run tells. */
    readonly usual?: { readonly medianMs: number } | null;
  }[];
  /** From this step on nothing is taken back. */
  readonly pointOfNoReturn?: string;
  /** What is measured against an objective, from an instant or from when a step began. */
  readonly measured?: {
    readonly name: string;
    readonly objectiveMs: number;
    readonly from: { readonly atMs: number; readonly why: string } | { readonly step: string; readonly why: string };
  };
}

export type StepStatus =
  | 'todo'
  | 'active'
  | 'done'
  | 'already'
  | 'failed'
  | 'refused'
  | 'interrupted'
  | 'taken-back'
  | 'not-taken-back';

/** One step as it is shown. */
export interface ShownStep {
  readonly id: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAtMs?: number;
  readonly ms?: number;
  readonly usualMs?: number;
  /** What was seen, or what went wrong. */
  readonly found?: string;
  /** What it waits for. */
  readonly waitsFor?: string;
  /** The plan found its effect there already. */
  readonly expectedDone?: true;
}

interface LogLine {
  readonly atMs: number;
  readonly text: string;
  readonly tone?: Tone;
}

/** How far a run is, folded from what happened. */
export interface RunProgress {
  readonly about: RunAbout;
  readonly beganAtMs: number;
  readonly steps: readonly ShownStep[];
  readonly log: readonly LogLine[];
  /** Said outside any step: that it waits for the lease, that it was asked to stop. */
  readonly said?: string;
  readonly stopping?: true;
  readonly ended?: { readonly outcome: string; readonly atMs: number };
}

/** What can happen in a run that is shown. */
export type Happening =
  | { readonly kind: 'started'; readonly step: string; readonly title?: string; readonly atMs: number }
  | { readonly kind: 'waits'; readonly step: string; readonly text: string; readonly atMs: number }
  | {
      readonly kind: 'ended';
      readonly step: string;
      readonly title?: string;
      readonly status: StepStatus;
      readonly ms: number;
      readonly found: string;
      readonly atMs: number;
    }
  | { readonly kind: 'said'; readonly text: string; readonly atMs: number }
  | { readonly kind: 'stopping'; readonly text: string; readonly atMs: number }
  | { readonly kind: 'run-ended'; readonly outcome: string; readonly atMs: number };

/** A run of which nothing has happened yet. Pure. */
export function notBegun(about: RunAbout, atMs: number): RunProgress {
  return {
    about,
    beganAtMs: atMs,
    log: [],
    steps: about.steps.map(({ id, title, state, usual }) => ({
      id,
      title,
      status: 'todo',
      ...(usual ? { usualMs: usual.medianMs } : {}),
      ...(state === 'done' ? { expectedDone: true as const } : {}),
    })),
  };
}

/** So many lines are kept. */
const logLines = 200;

/** The run after this has happened. Pure. */
export function progressed(run: RunProgress, what: Happening): RunProgress {
  const { said: _, ...quiet } = run;
  const log = (text: string, tone?: Tone) =>
    [...run.log, { atMs: what.atMs, text, ...(tone === undefined ? {} : { tone }) }].slice(-logLines);
  switch (what.kind) {
    case 'started': {
      const steps = withStep(run.steps, what.step, what.title).map((s) =>
        s.id === what.step
          ? { ...s, title: what.title ?? s.title, status: 'active' as const, startedAtMs: what.atMs }
          : s,
      );
      return { ...quiet, steps };
    }
    case 'waits': {
      const steps = run.steps.map((s) => (s.id === what.step ? { ...s, waitsFor: what.text } : s));
      return { ...quiet, steps, log: log(what.text) };
    }
    case 'ended': {
      const { step, status, ms, found } = what;
      const steps = withStep(run.steps, step, what.title).map((s): ShownStep => {
        if (s.id !== step) return s;
        const { waitsFor: __, ...rest } = s;
        return { ...rest, title: what.title ?? s.title, status, ms, found };
      });
      const [mark, tone] = marks[status];
      const title = steps.find((s) => s.id === step)?.title ?? step;
      const why = isTrouble(status) && found !== '' ? `: ${found}` : '';
      const stands = tone === 'good' ? undefined : tone;
      return { ...quiet, steps, log: log(`${mark} ${title} (${endWords[status]}, ${formatMs(ms)})${why}`, stands) };
    }
    case 'said':
      return { ...run, said: what.text, log: log(what.text) };
    case 'stopping':
      return { ...run, said: what.text, stopping: true, log: log(what.text, 'warn') };
    case 'run-ended':
      return {
        ...quiet,
        ended: { outcome: what.outcome, atMs: what.atMs },
        log: log(`the run ended: ${what.outcome}`),
      };
    default:
      return what satisfies never;
  }
}

/** Whether the step from which on nothing is taken back has begun to act, as far as can be seen. Pure. */
export function isPastReturn({ about, steps }: RunProgress): boolean {
  const point = steps.findIndex((s) => s.id === about.pointOfNoReturn);
  return point >= 0 && steps.slice(point).some((s) => ['active', 'done', 'already', 'failed'].includes(s.status));
}

/** A step that the plan doesn't have (what an operator's hook does) comes where the run is. */
function withStep(steps: readonly ShownStep[], id: string, title: string | undefined): readonly ShownStep[] {
  if (steps.some((s) => s.id === id)) return steps;
  const at = steps.findLastIndex((s) => s.status !== 'todo') + 1;
  return [...steps.slice(0, at), { id, title: title ?? id, status: 'todo' }, ...steps.slice(at)];
}

const isTrouble = (status: StepStatus) => !['todo', 'active', 'done', 'already', 'taken-back'].includes(status);

/** The mark before a step, and its tone. */
export const marks: Readonly<Record<StepStatus, readonly [mark: string, tone: Tone | undefined]>> = {
  todo: ['○', 'dim'],
  active: ['▸', 'accent'],
  done: ['✓', 'good'],
  already: ['✓', 'good'],
  failed: ['✗', 'bad'],
  refused: ['✗', 'bad'],
  interrupted: ['✗', 'warn'],
  'taken-back': ['↶', 'warn'],
  'not-taken-back': ['✗', 'bad'],
};

const endWords: Readonly<Record<StepStatus, string>> = {
  todo: 'not yet',
  active: 'at work',
  done: 'done',
  already: 'was so already',
  failed: 'failed',
  refused: 'refused',
  interrupted: 'interrupted',
  'taken-back': 'taken back',
  'not-taken-back': 'not taken back',
};

/** What an event of the engine says. Pure. */
export function happeningOf(event: RunEvent): Happening {
  const { step, atMs } = event;
  switch (event.kind) {
    case 'step-started':
      return { kind: 'started', step, title: event.title, atMs };
    case 'step-progress':
      return { kind: 'waits', step, text: event.message, atMs };
    case 'step-ended': {
      const { status, ms, title, error, evidence } = event.result;
      const found = error?.message ?? evidenceText(evidence ?? null);
      return { kind: 'ended', step, title, status: status === 'not-run' ? 'todo' : status, ms, found, atMs };
    }
    case 'step-compensated':
      return takenBack(step, atMs, 0, null, event.error?.message);
    default:
      return event satisfies never;
  }
}

/** What an entry of a journal says; nothing for what only the journal needs. Pure. */
export function happeningIn({ fact, atMs }: Pick<JournalEntry, 'fact' | 'atMs'>): Happening | undefined {
  switch (fact.kind) {
    case 'run-started':
      return undefined;
    case 'step-started':
      return { kind: 'started', step: fact.step, atMs };
    case 'step-finished': {
      const { step, status, ms, evidence } = fact;
      return { kind: 'ended', step, status, ms, found: evidenceText(evidence), atMs };
    }
    case 'step-failed':
      return { kind: 'ended', step: fact.step, status: fact.status, ms: fact.ms, found: fact.error.message, atMs };
    case 'step-compensating':
      return { kind: 'said', text: `taking back ${fact.step}`, atMs };
    case 'step-compensated':
      return takenBack(fact.step, atMs, fact.ms, fact.evidence, fact.error?.message);
    case 'run-interrupted': {
      const by = fact.by === undefined ? 'the run was interrupted' : `the run was stopped by ${fact.by}`;
      return { kind: 'stopping', text: by, atMs };
    }
    case 'run-finished':
      return { kind: 'run-ended', outcome: fact.outcome, atMs };
    default:
      return fact satisfies never;
  }
}

function takenBack(step: string, atMs: number, ms: number, evidence: Json, error: string | undefined): Happening {
  const found = error ?? evidenceText(evidence);
  return { kind: 'ended', step, status: error === undefined ? 'taken-back' : 'not-taken-back', ms, found, atMs };
}
