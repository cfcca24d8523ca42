import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { drillState } from '../state/drills.ts';
import { inspectRun, listRuns } from '../state/journal.ts';
import { foldRun } from '../state/run-record.ts';
import { putRunSamples, runsWithSamples, samplesBetween } from '../state/samples.ts';
import { killedAfterMs } from './silent-run.ts';

/** So much before a run began and after it ended stays with it. */
export const samplesAroundRunMs = 10 * 60_000;
/** So long before samples are forgotten, those around a run that is silent are put aside, whether it was killed or not. */
const inTimeMs = 3 * samplesAroundRunMs;

/** Puts the samples around each run that is over for long enough aside, once. Gives for which it did so now. */
export async function keepSamplesOfRuns(
  state: ObjectStore,
  nowMs: number,
  keepMs: number,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const done = await runsWithSamples(state, options);
  const kept: string[] = [];
  for (const store of [state, drillState(state)]) {
    for (const run of await listRuns(store, options)) {
      if (done.has(run) || begunAtMs(run) < nowMs - keepMs) continue;
      const record = foldRun((await inspectRun(store, run, options)).entries);
      if (record === undefined) continue;
      const lastChance = nowMs - record.startedAtMs > keepMs - inTimeMs;
      const quietMs = record.status === 'running' && !lastChance ? killedAfterMs(record) : samplesAroundRunMs;
      if (nowMs - record.lastAtMs < quietMs) continue;
      const [from, to] = [record.startedAtMs - samplesAroundRunMs, record.lastAtMs + samplesAroundRunMs];
      await putRunSamples(state, run, await samplesBetween(state, from, to, options), options);
      kept.push(run);
    }
  }
  return kept;
}

/** When a run was begun, by its name. */
function begunAtMs(run: string): number {
  const [, y, mo, d, h, m, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(run) ?? [];
  return Date.parse(`${y}-${mo}-${d}T${h}:${m}:${s}Z`);
}
