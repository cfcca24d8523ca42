import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Step } from '../../runbooks/engine/step.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import type { Json } from '../../state/journal.ts';
import type { DrillReport } from '../drill-report.ts';
import { healYourself, mend, mendMs } from './mend.ts';
import type { FaultHooks, FaultNotes, FaultOrder } from './ports.ts';
import { type DrillActor, newDrillRun } from './run.ts';

/** What became of a fault that a dead drill left. */
export type LeftFault = { readonly note: FaultNote } & (
  | { readonly kind: 'healed' }
  /** No try was made: a drill is at work, its own, which heals it itself, or another. */
  | { readonly kind: 'alive'; readonly why: string }
  /** A person has to: `why`, and the note says how. */
  | { readonly kind: 'left'; readonly why: string }
);

interface HealContext {
  readonly order: FaultOrder;
}

/**
 * Heals what drills broke whose process is gone, under the lease of drills and with a journal of its own; does nothing
 * where nothing is left. `hooksFor`: undefined where the configuration has no hooks for the fault; when it fails, as for
 * a secret that lacks, that fault is left, and the others are healed. `sides` are for notes that don't say under which
 * roles the fault was broken.
 */
export async function healLeft(
  actor: DrillActor,
  notes: FaultNotes,
  hooksFor: (fault: FaultNote['fault']) => Promise<FaultHooks | undefined>,
  sides: { readonly from: string; readonly to: string },
): Promise<readonly LeftFault[]> {
  const left = await notes.list(actor.signal);
  if (left.length === 0) return [];
  const found = await Promise.all(left.map((note) => withHooks(note, hooksFor)));
  const without = found.flatMap((f): readonly LeftFault[] => ('hooks' in f ? [] : [f]));
  const able = found.flatMap((f) => ('hooks' in f ? [f] : []));
  if (able.length === 0) return without;
  const { clock, holder: by } = actor;
  const run = newDrillRun(actor);
  const { random: _, ...rest } = actor;
  const startedAtMs = clock.now();
  const heal = async (): Promise<readonly LeftFault[]> => {
    const result = await runUnderLease({
      ...rest,
      run,
      runbook: 'drill',
      purpose: 'healing what a drill left broken',
      by,
      details: { kind: 'fault', trigger: { kind: 'person' }, heals: able.map(({ note }) => ({ ...note })) },
      steps: [
        ...able.map(({ note, hooks }) => healStep(note, hooks, notes)),
        judgeStep(
          able.map((a) => a.note),
          notes,
        ),
      ],
      context: (epoch): HealContext => ({ order: { fault: able[0]!.note.fault, run, epoch, ...sides } }),
      resumeHint: 'start any drill, or the daemon: it goes on healing',
      report: ({ outcome, steps }) => {
        const healed = steps.every((s) => s.status === 'done' || s.status === 'already');
        const names = able.map(({ note }) => note.fault).join(', ');
        const report: DrillReport = {
          ...{ run, kind: 'fault', trigger: { kind: 'person' }, by, ...sides, startedAtMs, endedAtMs: clock.now() },
          outcome: outcome === 'done' && healed ? 'stopped' : 'failed',
          verdict: `${names}, left by ${able[0]!.note.run}: ${healed ? 'healed' : 'NOT healed'}`,
          ...{ causes: [], points: [], rejected: [], comparisons: [] },
        };
        return JSON.parse(JSON.stringify(report)) as Json;
      },
    });
    const tried = able.map(({ note }): LeftFault => {
      const step = result.steps.find((s) => s.id === stepId(note));
      if (step?.status === 'done' || step?.status === 'already') return { kind: 'healed', note };
      return { kind: 'left', note, why: step?.error?.message ?? result.error?.message ?? 'it was not tried' };
    });
    return [...without, ...tried];
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return await heal();
    } catch (error) {
      if (!(error instanceof ArgusError && error.code === 'LeaseHeld')) throw error;
      // A dead one's last renewal may have arrived late: a living one renews again and again.
      if (attempt < attempts) continue;
      const why = describeError(error);
      return [...without, ...able.map(({ note }): LeftFault => ({ kind: 'alive', note, why }))];
    }
  }
}

const attempts = 3;

/** The note with its hooks, or that it is left since there are none here. */
async function withHooks(
  note: FaultNote,
  hooksFor: (fault: FaultNote['fault']) => Promise<FaultHooks | undefined>,
): Promise<{ readonly note: FaultNote; readonly hooks: FaultHooks } | (LeftFault & { readonly kind: 'left' })> {
  try {
    const hooks = await hooksFor(note.fault);
    return hooks ? { note, hooks } : { kind: 'left', note, why: `drill.faults.${note.fault} is not configured here` };
  } catch (error) {
    return { kind: 'left', note, why: describeError(error) };
  }
}

const stepId = ({ fault }: FaultNote) => `heal-${fault}`;

function healStep(note: FaultNote, hooks: FaultHooks, notes: FaultNotes): Step<HealContext, object> {
  const isNoted = async (signal: AbortSignal) => (await notes.list(signal)).some((n) => n.fault === note.fault);
  return {
    id: stepId(note),
    title: `Heal ${note.fault}, which ${note.run} left broken`,
    manual: [note.heal],
    waitsFor: `the hook of ${note.fault}`,
    timeoutMs: mendMs(hooks),
    onFailure: { kind: 'continue', hint: healYourself(note.fault, note.heal) },
    async observe(_context, _facts, io) {
      // Its drill may have been alive until now, and have healed it; or a person said that it is healed.
      return (await isNoted(io.signal)) ? { kind: 'todo' } : { kind: 'done', evidence: 'it was noted no more' };
    },
    async act({ order }, _facts, io) {
      const { fault, from = order.from, to = order.to } = note;
      await mend(hooks, notes, { ...order, fault, from, to }, io);
    },
    async verify(_context, _facts, io) {
      if (await isNoted(io.signal)) return { kind: 'pending', waitingFor: 'the heal' };
      return { kind: 'done', evidence: 'healed' };
    },
  };
}

/** Fails the run where a fault is noted still, so that nobody is told that all is well. */
function judgeStep(tried: readonly FaultNote[], notes: FaultNotes): Step<HealContext, object> {
  return {
    id: 'judge',
    title: 'See that nothing is left broken',
    manual: ['argus drill faults'],
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: '`argus drill faults` tells what is broken, and how to heal it' },
    observe: async () => ({ kind: 'todo' }),
    act: async () => undefined,
    async verify(_context, _facts, io) {
      const noted = new Set((await notes.list(io.signal)).map((n) => n.fault));
      const broken = tried.filter(({ fault }) => noted.has(fault));
      if (broken.length === 0) return { kind: 'done', evidence: 'nothing is' };
      const message = `not healed: ${broken.map(({ fault }) => fault).join(', ')}`;
      return { kind: 'failed', error: { code: 'StillBroken', message } };
    },
  };
}
