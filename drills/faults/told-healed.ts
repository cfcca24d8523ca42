import type { RunResult } from '../../runbooks/engine/run-result.ts';
import type { Step } from '../../runbooks/engine/step.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import type { Occasion } from '../../runbooks/occasion.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import type { Json } from '../../state/journal.ts';
import type { DrillReport } from '../drill-report.ts';
import type { FaultNotes } from './ports.ts';
import { type DrillActor, newDrillRun } from './run.ts';

/**
 * Forgets faults that a person says are healed, under the lease of drills and with a journal that says on whose word:
 * nothing is called and nothing is looked at. `told`: the notes as the person was shown them; one that was broken anew
 * since is refused. While a drill is at work, theirs or another, it is `LeaseHeld` (exit code 3).
 */
export async function forgetToldHealed(
  actor: DrillActor,
  notes: FaultNotes,
  told: readonly FaultNote[],
  sides: { readonly from: string; readonly to: string },
  occasion: Occasion = {},
): Promise<RunResult<object>> {
  const { clock, holder: by } = actor;
  const run = newDrillRun(actor);
  const { random: _, ...rest } = actor;
  const startedAtMs = clock.now();
  const about = { kind: 'fault', trigger: { kind: 'person' }, ...sides } as const;
  const details = { ...occasion, ...about, onTheWordOf: by, toldHealed: told };
  return runUnderLease<object, object>({
    ...rest,
    run,
    runbook: 'drill',
    purpose: 'forgetting what a person has healed',
    by,
    details: JSON.parse(JSON.stringify(details)) as Json,
    steps: told.map((note) => forgetStep(note, notes, by)),
    context: () => ({}),
    resumeHint: 'run the command again',
    report: ({ outcome }) => {
      const names = told.map((note) => `${note.fault}, left by ${note.run}`).join('; ');
      const done = outcome === 'done';
      const { reason } = occasion;
      const report: DrillReport = {
        ...{ run, ...about, by, startedAtMs, endedAtMs: clock.now(), ...(reason === undefined ? {} : { reason }) },
        outcome: done ? 'stopped' : 'failed',
        verdict: `${names}: ${done ? `healed on the word of ${by}; nothing was looked at` : 'still noted as broken'}`,
        ...{ causes: [], points: [], rejected: [], comparisons: [] },
      };
      return JSON.parse(JSON.stringify(report)) as Json;
    },
  });
}

function forgetStep({ fault, run }: FaultNote, notes: FaultNotes, by: string): Step<object, object> {
  const noted = async (signal: AbortSignal) => (await notes.list(signal)).find((n) => n.fault === fault);
  return {
    id: `forget-${fault}`,
    title: `Forget ${fault}, which ${run} left broken: ${by} says that it is healed`,
    manual: [`argus drill clean --healed ${fault}`],
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: '`argus drill faults` tells what is noted as broken; run the command again' },
    async observe(_context, _facts, io) {
      const now = await noted(io.signal);
      if (now === undefined) return { kind: 'done', evidence: 'it was noted no more' };
      if (now.run === run) return { kind: 'todo' };
      return {
        kind: 'refused',
        error: { code: 'BrokenAnew', message: `${fault} was broken anew since, by ${now.run}` },
      };
    },
    async act(_context, _facts, io) {
      await notes.drop(fault, io.signal);
    },
    async verify(_context, _facts, io) {
      if ((await noted(io.signal)) !== undefined) return { kind: 'pending', waitingFor: 'its note to be gone' };
      return { kind: 'done', evidence: { onTheWordOf: by, looked: false } };
    },
  };
}
