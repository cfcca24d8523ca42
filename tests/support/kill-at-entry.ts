import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { LabStory } from './lab-story.ts';

/**
 * Where a run is killed: when the entry that begins a step is durable, a little later in its act, or when the entry that
 * ends it is. A step that is found done has only its end.
 */
export type KillPoint = 'started' | 'inside' | 'finished';

/** How far into an act `inside` is. */
const insideMs = 200;

interface Fact {
  readonly kind: string;
  readonly step?: string;
}

/**
 * The steps behind which a run is killed: all but the last, whose end may be the run's. `before`: those that can be
 * taken back, without the last two of them, since on a busy machine the kill may come when the next has begun.
 */
export function boundaries<S extends { readonly id: string }>(plan: {
  readonly steps: readonly S[];
  readonly pointOfNoReturn: string;
}): { readonly before: readonly S[]; readonly behind: readonly S[] } {
  const last = plan.steps.findIndex((s) => s.id === plan.pointOfNoReturn) - 2;
  return { before: plan.steps.slice(0, last), behind: plan.steps.slice(last, -1) };
}

/**
 * Kills a runbook at this point of each of these steps: each run goes on with the one before. `told` gets what each of
 * them took, from its start to its death.
 */
export async function killedAtEachStep(
  lab: Lab,
  story: LabStory,
  args: readonly string[],
  steps: readonly { readonly id: string }[],
  point: KillPoint,
  told: (line: string) => void = () => undefined,
): Promise<void> {
  for (const { id } of steps) await killedAtStep(lab, story, args, id, point, told);
}

/** The points that a full test kills at: those of ARGUS_KILLS (`started,inside`), or all but what `npm test` has. */
export function killPoints(): readonly KillPoint[] {
  const all: readonly KillPoint[] = ['started', 'inside'];
  const wanted = process.env.ARGUS_KILLS?.split(',');
  return wanted === undefined ? all : all.filter((point) => wanted.includes(point));
}

/** Begins `argus …` and kills it at this point of this step, by the entries of its journal in the lab's store. */
export async function killedAtStep(
  lab: Lab,
  story: LabStory,
  args: readonly string[],
  step: string,
  point: KillPoint,
  told: (line: string) => void = () => undefined,
): Promise<void> {
  const from = performance.now();
  const journal = journalOf(lab, args[0] === 'drill' ? 'drills/journal' : 'journal');
  let dueAt: number | undefined;
  await story.killedAt(args, () => {
    for (const fact of journal.newEntries()) {
      if (fact.step !== step) continue;
      if (fact.kind === 'step-finished') dueAt = 0;
      if (fact.kind === 'step-started' && point !== 'finished')
        dueAt ??= performance.now() + (point === 'inside' ? insideMs : 0);
    }
    return dueAt !== undefined && performance.now() >= dueAt;
  });
  told(`${args[0]}, ${point} ${step}: ${((performance.now() - from) / 1_000).toFixed(1)} s`);
}

/** The journals of runs that begin from now on, as the store keeps them: an entry is a file. */
function journalOf(lab: Lab, place: 'journal' | 'drills/journal') {
  const folder = join(lab.dir, names.standby, 'objects', 'buckets', names.stateBucket, 'lab', place);
  const seen = new Set(entriesIn(folder));
  return {
    /** What was written since the last call, in no order. */
    newEntries(): readonly Fact[] {
      const facts: Fact[] = [];
      for (const entry of entriesIn(folder)) {
        if (seen.has(entry)) continue;
        const fact = factIn(join(folder, entry));
        if (fact === undefined) continue;
        seen.add(entry);
        facts.push(fact);
      }
      return facts;
    },
  };
}

/** Undefined while it is being written. */
function factIn(path: string): Fact | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly fact: Fact }).fact;
  } catch {
    return undefined;
  }
}

function entriesIn(folder: string): readonly string[] {
  try {
    const runs = readdirSync(folder).sort();
    // Nobody writes into an older run.
    return runs.slice(-2).flatMap((run) => readdirSync(join(folder, run)).map((entry) => join(run, entry)));
  } catch {
    // No run has begun, or its folder is being made.
    return [];
  }
}
