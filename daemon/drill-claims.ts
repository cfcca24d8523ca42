import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { LocalProcesses } from '../runbooks/engine/under-lease.ts';
import type { DrillSlot } from '../state/drill-slots.ts';
import { inspectRun, type JournalEntry, listRuns, readRunBegin, runId } from '../state/journal.ts';
import { numberIn, partOf, textIn } from '../state/json-parts.ts';
import { foldRun, type RunRecord } from '../state/run-record.ts';

/** A daemon that lives begins what it claimed long before this, or gives it up. */
const claimMs = 10 * 60_000;

/** Who looks at claims of others, over many looks. */
export interface ClaimWatch {
  /** Whether whoever claimed it is gone, or has had all the time that it takes to begin. */
  isDead(slot: DrillSlot, monotonicMs: number): boolean;
}

/** A claim is dead when its process is seen to be gone, or after ten minutes by this process' own monotonic clock. */
export function claimWatch(processes: LocalProcesses | undefined): ClaimWatch {
  const seen = new Map<string, number>();
  return {
    isDead({ claim }, monotonicMs) {
      if (claim === undefined) return true;
      if (claim.process !== undefined && processes?.isGone(claim.process) === true) return true;
      const since = seen.get(claim.nonce) ?? monotonicMs;
      seen.set(claim.nonce, since);
      return monotonicMs - since >= claimMs;
    },
  };
}

/** A drill's run, and how it ended as far as its journal tells. */
export interface RunOfSlot {
  readonly run: string;
  readonly end: Omit<NonNullable<DrillSlot['end']>, 'run' | 'atMs'>;
}

/** The clock that names a run may be behind the one by which its slot was seen. */
const clocksDifferMs = 3_600_000;
/** So many beginnings are read at once. */
const readAtOnce = 20;

/** The drill that was begun for a slot; undefined: none was. */
export async function runOfSlot(
  drills: ObjectStore,
  { kind, dueAtMs, seenAtMs }: Pick<DrillSlot, 'kind' | 'dueAtMs' | 'seenAtMs'>,
  call: { readonly signal: AbortSignal },
): Promise<RunOfSlot | undefined> {
  // Names sort by time.
  const since = runId(seenAtMs - clocksDifferMs, 'drill', '0000');
  const runs = (await listRuns(drills, call)).filter((run) => run >= since).reverse();
  for (let i = 0; i < runs.length; i += readAtOnce) {
    const begins = await Promise.all(runs.slice(i, i + readAtOnce).map((run) => readRunBegin(drills, run, call)));
    const run = begins.find((begin) => isOfSlot(begin, kind, dueAtMs))?.run;
    const record = run === undefined ? undefined : foldRun((await inspectRun(drills, run, call)).entries);
    if (record !== undefined) return { run: record.run, end: endOf(record) };
  }
  return undefined;
}

function isOfSlot(begin: JournalEntry | undefined, kind: DrillSlot['kind'], dueAtMs: number): boolean {
  if (begin?.fact.kind !== 'run-started') return false;
  const { details } = begin.fact;
  return textIn(details, 'kind') === kind && numberIn(partOf(details, 'trigger'), 'slotAtMs') === dueAtMs;
}

function endOf({ status, report }: RunRecord): RunOfSlot['end'] {
  const outcome = textIn(report, 'outcome');
  if (outcome === 'passed') return { outcome };
  if (outcome === 'stopped') {
    const message = textIn(report, 'verdict') ?? 'it was ended before its end';
    return { outcome: 'cut-off', code: 'Stopped', message };
  }
  if (status === 'running')
    return { outcome: 'cut-off', code: 'CutOff', message: 'its daemon ended while it was under way' };
  return { outcome: status === 'refused' ? 'refused' : 'failed' };
}
