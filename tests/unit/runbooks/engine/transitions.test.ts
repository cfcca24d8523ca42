import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextAction } from '../../../../runbooks/engine/next-action.ts';
import {
  advance,
  foldProgress,
  noProgress,
  type Progress,
  type RunEvent,
  type RunState,
  runTable,
  type StepEvent,
  type StepShape,
  type StepState,
  stepTable,
} from '../../../../runbooks/engine/transitions.ts';
import type { Fact } from '../../../../state/journal.ts';

const shape = (id: string, over: Partial<StepShape> = {}): StepShape => ({
  id,
  onFailure: 'stop',
  pointOfNoReturn: false,
  compensable: false,
  ...over,
});

const error = { code: 'X', message: 'no' };
const ms = 1;

/** An entry of each kind of event; for steps that stop the run when they fail, except for `step-let-go`. */
const entryOf: Record<RunEvent, Fact> = {
  'run-started': { kind: 'run-started', runbook: 'failover', by: 'me', details: null },
  'step-started': { kind: 'step-started', step: 'a' },
  'step-finished': { kind: 'step-finished', step: 'a', status: 'done', ms, evidence: null },
  'step-let-go': { kind: 'step-failed', step: 'lax', status: 'failed', ms, error },
  'step-failed': { kind: 'step-failed', step: 'a', status: 'failed', ms, error },
  'step-refused': { kind: 'step-failed', step: 'a', status: 'refused', ms, error },
  'step-compensating': { kind: 'step-compensating', step: 'a' },
  'step-compensated': { kind: 'step-compensated', step: 'a', ms, evidence: null },
  'run-interrupted': { kind: 'run-interrupted', hint: 'again' },
  'run-finished': { kind: 'run-finished', outcome: 'done' },
};

const stepEventOf: Partial<Record<RunEvent, StepEvent>> = {
  'step-started': 'started',
  'step-finished': 'finished',
  'step-let-go': 'failed',
  'step-failed': 'failed',
  'step-refused': 'refused',
  'step-compensating': 'compensating',
  'step-compensated': 'compensated',
};

const runStates = Object.keys(runTable) as RunState[];
const runEvents = Object.keys(entryOf) as RunEvent[];
const stepStates = Object.keys(stepTable) as StepState[];
const shapes = [shape('a'), shape('lax', { onFailure: 'continue' })];

describe('every entry in every state', () => {
  const pairs = runStates.flatMap((run) =>
    stepStates.flatMap((step) => runEvents.map((event) => ({ run, step, event }))),
  );

  test.each(pairs)('run $run, step $step, $event: as the tables say', ({ run, step, event }) => {
    const fact = entryOf[event];
    const id = 'step' in fact ? fact.step! : 'a';
    const before: Progress = { run, steps: new Map([[id, step]]), pastReturn: false };
    const stepEvent = stepEventOf[event];
    const nextRun = runTable[run][event];
    const nextStep = stepEvent === undefined ? step : stepTable[step][stepEvent];
    if (nextRun === 'impossible' || nextStep === 'impossible') {
      expect(() => advance(shapes, before, fact)).toThrowError(expect.objectContaining({ code: 'JournalImpossible' }));
    } else {
      const after = advance(shapes, before, fact);
      expect({ run: after.run, step: after.steps.get(id) }).toEqual({ run: nextRun, step: nextStep });
    }
  });

  test('an ended run and a step that was taken back or refused go nowhere', () => {
    expect(new Set(Object.values(runTable.ended))).toEqual(new Set(['impossible']));
    for (const last of ['refused', 'taken-back'] as const) {
      expect(new Set(Object.values(stepTable[last]))).toEqual(new Set(['impossible']));
    }
  });
});

test('a step that nobody knows any more, and that the run went on without, stops nothing', () => {
  const facts: readonly Fact[] = [
    entryOf['run-started'],
    { kind: 'step-failed', step: 'hook-page', status: 'failed', ms, error, goesOn: true },
    entryOf['step-started'],
  ];
  expect(
    foldProgress(
      shapes,
      facts.map((fact) => ({ fact })),
    ).run,
  ).toBe('running');
});

const anyShapes = fc
  .array(
    fc.record({
      onFailure: fc.constantFrom('stop' as const, 'continue' as const),
      pointOfNoReturn: fc.boolean(),
      compensable: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) => all.map((s, i) => ({ id: `s${i}`, ...s })));

/** What becomes of a step that is begun: how its journal goes on. */
const fates = ['done', 'already', 'failed', 'failed-looking', 'refused', 'interrupted'] as const;

function live(all: readonly StepShape[], fate: readonly (typeof fates)[number][]): readonly Fact[] {
  const facts: Fact[] = [];
  let progress = noProgress();
  const write = (fact: Fact) => {
    progress = advance(all, progress, fact);
    facts.push(fact);
  };
  write(entryOf['run-started']);
  for (let turn = 0; ; turn++) {
    const next = nextAction(all, progress);
    if (next.kind === 'finish') {
      write({ kind: 'run-finished', outcome: next.outcome });
      return facts;
    }
    const step = all[next.index]!.id;
    if (next.kind === 'compensate') {
      write({ kind: 'step-compensating', step });
      write({ kind: 'step-compensated', step, ms, evidence: null });
      continue;
    }
    const what = fate[turn % fate.length]!;
    if (what === 'done' || what === 'failed' || what === 'interrupted') write({ kind: 'step-started', step });
    if (what === 'done' || what === 'already') write({ kind: 'step-finished', step, status: what, ms, evidence: null });
    else if (what === 'interrupted') write({ kind: 'run-interrupted', step, hint: 'again' });
    else write({ kind: 'step-failed', step, status: what === 'refused' ? 'refused' : 'failed', ms, error });
  }
}

describe('whatever becomes of its steps, a run', () => {
  const anyFates = fc.array(fc.constantFrom(...fates), { minLength: 1, maxLength: 8 });

  test('ends, and never asks for an entry that the tables forbid', () => {
    fc.assert(
      fc.property(anyShapes, anyFates, (all, fate) => {
        expect(
          foldProgress(
            all,
            live(all, fate).map((fact) => ({ fact })),
          ).run,
        ).toBe('ended');
      }),
    );
  });

  test('begins no step after one that stops it, and takes back only before the point of no return, the last first', () => {
    fc.assert(
      fc.property(anyShapes, anyFates, (all, fate) => {
        const facts = live(all, fate);
        const stopped = facts.findIndex(
          (f) =>
            f.kind === 'run-interrupted' ||
            (f.kind === 'step-failed' && all.find((s) => s.id === f.step)!.onFailure === 'stop'),
        );
        const rest = stopped < 0 ? [] : facts.slice(stopped + 1);
        expect(rest.filter((f) => f.kind === 'step-started' || f.kind === 'step-finished')).toEqual([]);
        const taken = facts.flatMap((f) => (f.kind === 'step-compensated' ? [f.step] : []));
        expect(taken).toEqual([...new Set(taken)].toSorted().reverse());
        const past = facts.some(
          (f) =>
            (f.kind === 'step-started' || f.kind === 'step-finished') &&
            all.find((s) => s.id === f.step)!.pointOfNoReturn,
        );
        if (past) expect(taken).toEqual([]);
        const begun = facts.flatMap((f) =>
          f.kind === 'step-started' ||
          (f.kind === 'step-finished' && f.status === 'already') ||
          (f.kind === 'step-failed' && f.status === 'failed')
            ? [f.step]
            : [],
        );
        const owed = all.filter((s) => s.compensable && begun.includes(s.id)).map((s) => s.id);
        expect(taken.toSorted()).toEqual(stopped < 0 || past ? [] : owed);
      }),
    );
  });

  test('is in the same state after every prefix, whoever folds it', () => {
    fc.assert(
      fc.property(anyShapes, anyFates, (all, fate) => {
        const facts = live(all, fate);
        let progress = noProgress();
        for (const [i, fact] of facts.entries()) {
          progress = advance(all, progress, fact);
          expect(
            foldProgress(
              all,
              facts.slice(0, i + 1).map((f) => ({ fact: f })),
            ),
          ).toEqual(progress);
        }
      }),
    );
  });
});
