import type { Step, StepIo, Verdict } from '../../runbooks/engine/step.ts';
import type { HookAnswer } from '../../runbooks/hooks/hook-steps.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import type { Failure, Json } from '../../state/journal.ts';
import type { CalmView } from './calm.ts';
import type { Expectation, Fault } from './catalogue.ts';
import { afterLook, type Met, newPhase, outcomeOf, type Phase, type PhaseBasis, phaseNow } from './judge.ts';
import type { FaultLook } from './look.ts';
import { healYourself, hookFailed, mend, mendMs } from './mend.ts';
import type { Compared, FaultEyes, FaultHooks, FaultNotes, FaultOrder } from './ports.ts';
import { waitCalm } from './wait-calm.ts';

/** What a fault drill works with. */
export interface FaultContext {
  readonly fault: Fault;
  readonly hooks: FaultHooks;
  readonly notes: FaultNotes;
  readonly eyes: FaultEyes;
  readonly order: FaultOrder;
  readonly by: string;
  readonly calm: Omit<CalmView, 'fault' | 'look'>;
}

/** What was found out on the way; kept beside the run so that also a failed step is reported. */
export interface FaultRecord {
  calm?: FaultLook;
  injected?: true;
  healedAtMs?: number;
  during?: { readonly phase: Phase; readonly outcome: readonly Met[] };
  after?: { readonly phase: Phase; readonly outcome: readonly Met[] };
  compared?: Compared;
}

type FaultStep = Step<FaultContext, object>;

/** After this long a hook that can heals by itself: the drill is over by then, or its process is gone. */
export const deadManMs = ({ holdMs }: Pick<Fault, 'holdMs'>, { timeoutMs }: Pick<FaultHooks, 'timeoutMs'>): number =>
  holdMs + timeoutMs.inject + 60_000;

const lookMs = 45_000;

/** The steps of a fault drill. What they find is written into `record`. */
export function faultSteps(
  { fault, hooks }: Pick<FaultContext, 'fault' | 'hooks'>,
  record: FaultRecord,
): readonly FaultStep[] {
  const nothing = async () => undefined;
  let broken: HookAnswer | undefined;
  return [
    {
      id: 'calm',
      title: 'See that nothing is wrong and nobody acts',
      manual: ['argus status', 'argus automatic status', 'argus runs list'],
      timeoutMs: lookMs,
      onFailure: { kind: 'stop', hint: 'nothing was broken' },
      async observe({ eyes, fault: now, calm, order, notes }, _facts, io) {
        // Under the lease nobody heals it any more, and a second note of a fault would stand in the place of the first.
        const noted = await notes.list(io.signal);
        const left = noted.find((n) => n.fault === now.name) ?? noted[0];
        if (left) return { kind: 'refused', error: brokenBefore(left) };
        const { look, why } = await waitCalm(eyes, { fault: now, ...calm }, io.clock, io.signal);
        if (why) return { kind: 'refused', error: why };
        // The roles were read before a person was asked.
        if (look.primary !== order.from) return { kind: 'refused', error: otherPrimary(look.primary) };
        record.calm = look;
        return { kind: 'done', evidence: lookEvidence(look) };
      },
      act: nothing,
      verify: async () => ({ kind: 'failed', error: { code: 'NotCalm', message: 'nothing was looked at' } }),
    },
    {
      id: 'inject',
      title: `Break it: ${fault.breaks}`,
      manual: [hooks.manual.inject],
      waitsFor: `the hook of ${fault.name}`,
      timeoutMs: Math.max(hooks.timeoutMs.inject + 15_000, mendMs(hooks)),
      onFailure: { kind: 'stop', hint: 'it is healed; see what the hook says' },
      observe: async () => ({ kind: 'todo' }),
      async act({ notes, order, by }, _facts, io) {
        const { run, from, to } = order;
        const atMs = io.clock.now();
        await notes.put({ fault: fault.name, run, atMs, by, heal: hooks.manual.heal, from, to }, io.signal);
        io.check();
        record.injected = true;
        broken = await hooks.call('inject', order, io.signal);
        if (!broken.ok) throw hookFailed(`breaking ${fault.name}`, broken);
      },
      // What is seen of it is the next step's.
      async verify() {
        if (broken?.ok !== true) return { kind: 'pending', waitingFor: 'the hook to succeed' };
        return { kind: 'done', evidence: { result: broken.result, output: broken.output, heal: hooks.manual.heal } };
      },
      async compensate({ notes, order }, _facts, io) {
        const noted = (await notes.list(io.signal)).some((n) => n.fault === fault.name);
        if (!noted) return undefined;
        const evidence = await mend(hooks, notes, order, io);
        record.healedAtMs = io.clock.now();
        return evidence;
      },
    },
    {
      id: 'expect',
      title: `See what comes of it: ${fault.behaviour}`,
      manual: ['argus status', 'argus automatic status'],
      timeoutMs: fault.holdMs + lookMs,
      pollMs: 500,
      onFailure: { kind: 'continue', hint: 'see `argus automatic status` and what the report lists' },
      observe: async () => ({ kind: 'todo' }),
      act: nothing,
      verify: watching(record, 'during', fault.leastMs, fault.holdMs, () => fault.during),
    },
    {
      id: 'heal',
      title: `Heal it: ${fault.name}`,
      manual: [hooks.manual.heal],
      waitsFor: `the hook of ${fault.name}`,
      timeoutMs: mendMs(hooks),
      onFailure: { kind: 'stop', hint: healYourself(fault.name, hooks.manual.heal) },
      observe: async () => ({ kind: 'todo' }),
      async act({ notes, order }, _facts, io) {
        await mend(hooks, notes, order, io);
        record.healedAtMs = io.clock.now();
      },
      async verify({ notes }, _facts, io) {
        const noted = (await notes.list(io.signal)).some((n) => n.fault === fault.name);
        return noted ? { kind: 'pending', waitingFor: 'the heal' } : { kind: 'done', evidence: 'healed' };
      },
    },
    {
      id: 'recovered',
      title: 'See all well again',
      manual: ['argus status'],
      waitsFor: 'the platform',
      timeoutMs: Math.max(...fault.after.map((e) => e.withinMs)) + lookMs,
      pollMs: 500,
      onFailure: { kind: 'continue', hint: '`argus status` says what is still wrong' },
      observe: async () => ({ kind: 'todo' }),
      act: nothing,
      verify: watching(record, 'after', 0, Number.POSITIVE_INFINITY, () => fault.after),
    },
    {
      id: 'compare',
      title: 'Compare what was mirrored meanwhile, record by record',
      manual: ['argus mirror verify'],
      timeoutMs: 600_000,
      onFailure: { kind: 'continue', hint: '`argus mirror verify` shows the difference' },
      observe: async () => ({ kind: 'todo' }),
      act: nothing,
      async verify({ eyes }, _facts, io) {
        const compared = await eyes.compare(io.signal);
        record.compared = compared;
        if (compared.kind === 'skipped') return { kind: 'done', evidence: compared };
        const { difference } = compared;
        if (difference === undefined) return { kind: 'done', evidence: compared };
        return { kind: 'failed', error: { code: 'MirrorDiffers', message: difference } };
      },
    },
  ];
}

/** Looks until all that is expected was seen, and for `leastMs` at least; ends at once on what must not be. */
function watching(
  record: FaultRecord,
  phase: 'during' | 'after',
  leastMs: number,
  mostMs: number,
  expect: () => readonly Expectation[],
): FaultStep['verify'] {
  let now: Phase | undefined;
  return async ({ fault, eyes }, _facts, io: StepIo): Promise<Verdict<object>> => {
    const { calm } = record;
    if (calm === undefined) return failed('NotCalm', 'nothing is known of the time before');
    now ??= newPhase(phase === 'after' ? (record.healedAtMs ?? io.clock.now()) : io.clock.now());
    const told = record.during?.phase.verdicts;
    const basis: PhaseBasis = { fault, expect: expect(), calm, ...(told && { told }) };
    const look = await eyes.look(io.signal);
    now = afterLook(now, look, basis);
    record[phase] = { phase: now, outcome: outcomeOf(now, look, basis) };
    const [breach] = now.breaches;
    if (breach) return failed(breach.code, breach.sentence);
    const at = io.clock.now();
    const elapsedMs = at - now.startedAtMs;
    const state = phaseNow(now, at, basis);
    if (state.kind === 'met' && elapsedMs >= leastMs) return { kind: 'done', evidence: metEvidence(now.met) };
    if (state.kind === 'met') return { kind: 'pending', waitingFor: 'what must not come' };
    if (state.kind === 'late' || elapsedMs >= mostMs) {
      const words = outcomeOf(now, look, basis).filter((m) => m.afterMs === undefined);
      return failed('NotAsExpected', words.map((m) => `not seen: ${m.expectation.says} (${m.seen})`).join('; '));
    }
    return { kind: 'pending', waitingFor: state.missing.map((e) => e.says).join('; ') };
  };
}

const failed = (code: string, message: string): { readonly kind: 'failed'; readonly error: Failure } => ({
  kind: 'failed',
  error: { code, message },
});

const brokenBefore = ({ fault, run }: FaultNote): Failure => ({
  code: 'FaultLeft',
  message: `not healed: ${fault}, which ${run} broke`,
  hint: `nothing was broken; \`argus drill faults\` has the command that heals it, and \`argus drill clean --healed ${fault}\` takes your word`,
});

const otherPrimary = (primary: string): Failure => ({
  code: 'RolesChanged',
  message: `the roles changed meanwhile: ${primary} is the primary now`,
  hint: 'run the command again: it looks anew',
});

const metEvidence = (met: readonly Met[]): Json =>
  met.map(({ expectation, afterMs = 0, seen }) => ({ expected: expectation.says, afterMs, seen }));

const lookEvidence = ({ bad, standing, slots }: FaultLook): Json => ({
  bad: [...bad],
  verdicts: standing?.verdicts.map((v) => v.code) ?? 'nobody tells',
  ...(slots === undefined ? {} : { slots }),
});
