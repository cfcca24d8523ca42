import { ArgusError } from '../../domain/errors.ts';
import type { Step, StepIo } from '../../runbooks/engine/step.ts';
import { evidence } from '../../runbooks/failover/failover-step.ts';
import type { Failure } from '../../state/journal.ts';
import { type Begun, type Position, standsAt } from './position.ts';

/** What a switchover of the drill proved. */
export interface Leg {
  /** All runs that it took, the one that ended it last. */
  readonly runs: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly provenZero: boolean;
  readonly producersBlockedMs: number | null;
  readonly rtoMs: number | null;
}

/** What a drill by switchover works with; it changes nothing but by the switchovers themselves. */
export interface SwitchoverDrillContext {
  readonly begun: Begun;
  position(signal: AbortSignal): Promise<Position>;
  /**
   * The switchover that is due, under the right to act, or what is left of it; undefined: it is done. What refuses it is
   * thrown.
   */
  move(which: 'there' | 'back', io: Pick<StepIo, 'signal' | 'progress'>): Promise<Failure | undefined>;
  /** What the switchover under these roles came to, from its own journal; undefined: none is done. */
  leg(rolesEpoch: number, signal: AbortSignal): Promise<Leg | undefined>;
  /** Whether the platform works where it is now; undefined: it does. */
  waitsFor(sinceMs: number, signal: AbortSignal): Promise<string | undefined>;
  readonly stayMs?: number | undefined;
}

/** What the steps have found out. */
export interface SwitchoverDrillFacts {
  readonly there: Leg;
  readonly back: Leg;
}

type DrillStep = Step<SwitchoverDrillContext, SwitchoverDrillFacts>;

const moveMs = 45 * 60_000;
const workMs = 15 * 60_000;

/** There, a while, and back; each step looks first how far the roles are. */
export function switchoverDrillSteps({ from, to }: Begun, stayMs: number | undefined): readonly DrillStep[] {
  return [
    moveStep('there', from, to),
    stayStep(to, stayMs),
    moveStep('back', to, from),
    {
      id: 'judge',
      title: 'See that nothing was lost on either way, by their proofs',
      manual: ['argus runs show'],
      timeoutMs: 10_000,
      onFailure: { kind: 'stop', hint: 'look at the two runs: `argus runs show`' },
      observe: async () => ({ kind: 'todo' }),
      act: async () => undefined,
      async verify(_, { there, back }) {
        const unproven = [there, back]
          .filter((leg) => leg?.provenZero !== true)
          .map((leg) => leg?.runs.at(-1) ?? 'a run');
        if (unproven.length === 0) return { kind: 'done', evidence: evidence({ there, back }) };
        const message = `that nothing was lost is not proven in ${unproven.join(' and ')}`;
        return { kind: 'failed', error: { code: 'LossNotExcluded', message } };
      },
    },
  ];
}

const passed: Readonly<Record<'there' | 'back', ReadonlySet<Position>>> = {
  there: new Set(['there', 'returning', 'home']),
  back: new Set(['home']),
};

function moveStep(which: 'there' | 'back', from: string, to: string): DrillStep {
  let broken: Failure | undefined;
  const done = async ({ begun, leg, position }: SwitchoverDrillContext, signal: AbortSignal) => {
    const now = await position(signal);
    if (!passed[which].has(now)) return { now };
    const made = await leg(begun.rolesEpoch + (which === 'there' ? 0 : 1), signal);
    return { now, made };
  };
  return {
    id: `switch-${which}`,
    title: which === 'there' ? `Switch over from ${from} to ${to}` : `Switch back from ${from} to ${to}`,
    manual: ['argus switchover'],
    timeoutMs: moveMs,
    pollMs: 1_000,
    onFailure: { kind: 'stop', hint: 'see `argus runs list`; `argus drill run --switchover` goes on where it is' },
    async observe(context, _, io) {
      const { now, made } = await done(context, io.signal);
      if (now === 'elsewhere') return { kind: 'refused', error: moved(context, now) };
      return made === undefined
        ? { kind: 'todo' }
        : { kind: 'done', evidence: evidence(made), facts: { [which]: made } };
    },
    async act(context, _, io) {
      broken = await context.move(which, io);
    },
    async verify(context, _, io) {
      const { now, made } = await done(context, io.signal);
      if (made !== undefined) return { kind: 'done', evidence: evidence(made), facts: { [which]: made } };
      const stands = standsAt(context.begun, now);
      const error = broken ?? { code: 'SwitchoverNotDone', message: 'the switchover ended without its effect' };
      return { kind: 'failed', error: { ...error, hint: stands } };
    },
  };
}

const moved = ({ begun }: SwitchoverDrillContext, now: Position): Failure => ({
  code: 'RolesChanged',
  message: `the drill was to move the platform from ${begun.from} to ${begun.to}: ${standsAt(begun, now)}`,
});

function stayStep(to: string, stayMs: number | undefined): DrillStep {
  let since: { readonly monotonic: number; readonly wall: number } | undefined;
  return {
    id: 'stay',
    title:
      stayMs === undefined
        ? `See the platform work on ${to}`
        : `Stay on ${to} for ${stayMs / 1_000} s, and see it work`,
    manual: ['argus status'],
    waitsFor: `the platform on ${to}`,
    timeoutMs: (stayMs ?? 0) + workMs,
    pollMs: 1_000,
    onFailure: { kind: 'stop', hint: 'see what does not work there; `argus drill run --switchover` goes on' },
    async observe({ position }, _, io) {
      const now = await position(io.signal);
      if (now === 'returning' || now === 'home') return { kind: 'done', evidence: { over: now } };
      return { kind: 'todo' };
    },
    act: async () => undefined,
    async verify(context, _, io) {
      since ??= { monotonic: io.clock.monotonic(), wall: io.clock.now() };
      const now = await context.position(io.signal);
      if (now !== 'there') {
        throw new ArgusError('RolesChanged', standsAt(context.begun, now), { exitCode: 3 });
      }
      const waitingFor = await context.waitsFor(since.wall, io.signal);
      if (waitingFor !== undefined) return { kind: 'pending', waitingFor };
      const leftMs = (stayMs ?? 0) - (io.clock.monotonic() - since.monotonic);
      if (leftMs > 0) return { kind: 'pending', waitingFor: 'the time to stay' };
      return { kind: 'done', evidence: { stayedMs: Math.round(io.clock.monotonic() - since.monotonic) } };
    },
  };
}
