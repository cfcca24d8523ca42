import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { listRuns, readRun } from '../../state/journal.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';

/** How long a step took in earlier runs. */
export interface UsualTime {
  readonly medianMs: number;
  /** So many runs did it. */
  readonly runs: number;
}

/** Only so many of the newest runs are looked at. */
const newest = 10;

/** Runs of one runbook that have ended, by their names: their journals don't change, and are not read again. */
export type EndedRuns = Map<string, Pick<RunRecord, 'steps'>>;

/**
 * How long each step of a runbook took in its newest runs, by the step's id. A run whose journal can't be read tells
 * nothing. `ended` is kept by whoever asks again and again; it never grows beyond the runs that are looked at.
 */
export async function readUsualTimes(
  store: ObjectStore,
  runbook: string,
  options: CallOptions & { readonly besides?: string } = {},
  ended: EndedRuns = new Map(),
): Promise<ReadonlyMap<string, UsualTime>> {
  const ids = (await listRuns(store, options))
    .filter((id) => id.split('-')[1] === runbook && id !== options.besides)
    .slice(-newest);
  for (const id of ended.keys()) if (!ids.includes(id)) ended.delete(id);
  const runs = await Promise.all(
    ids.map(async (id) => {
      const known = ended.get(id);
      if (known !== undefined) return known;
      const run = await readRun(store, id, options).then(foldRun, () => {
        options.signal?.throwIfAborted();
        return undefined;
      });
      if (run !== undefined && run.status !== 'running') ended.set(id, { steps: run.steps });
      return run;
    }),
  );
  return usualTimes(runs.filter((run) => run !== undefined));
}

/** The median of what each step took where it acted: one that found its effect there says nothing. Pure. */
export function usualTimes(runs: readonly Pick<RunRecord, 'steps'>[]): ReadonlyMap<string, UsualTime> {
  const times = new Map<string, number[]>();
  for (const step of runs.flatMap((run) => run.steps)) {
    if (step.status === 'done') times.set(step.id, [...(times.get(step.id) ?? []), step.ms]);
  }
  return new Map([...times].map(([id, ms]) => [id, { medianMs: median(ms), runs: ms.length }]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? 0;
  return sorted.length % 2 === 1 ? upper : Math.round(((sorted[sorted.length / 2 - 1] ?? 0) + upper) / 2);
}
