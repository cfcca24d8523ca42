import { z } from 'zod';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listDrillNotes } from '../../state/drill-notes.ts';
import { listRuns, readRun } from '../../state/journal.ts';
import { foldRun, type RunRecord } from '../../state/run-record.ts';
import { isEnded } from './catalogue.ts';
import { keyInBucket, pointOfTranslation } from './locations.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
}

const chosen = z.object({ points: z.array(z.object({ uri: z.string() })) });
const prepared = z.object({ restores: z.array(z.object({ uri: z.string(), claimMode: z.string() })) });

/**
 * The folders of points that must stay whatever their age: those that a run's journal says were chosen to restore from,
 * those that a job which lives in this region's Flink was restored from, and the copies that a run gave to a job. Jobs read these files for as long as they
 * have no checkpoint of their own (claim mode NO_CLAIM). Those of a drill stay while its note lies in the state, for an
 * hour at most: see {@link drillPoints}. A Flink or a state that can't be asked is an error: what isn't
 * known to be unused is not to be deleted.
 */
export async function heldPoints(
  state: ObjectStore,
  region: { readonly objects: Pick<ObjectStore, 'uri'>; readonly flink: Pick<FlinkJobs, 'list' | 'checkpoints'> },
  options: CallOptions & { readonly nowMs?: number } = {},
): Promise<ReadonlySet<string>> {
  const uris: string[] = [];
  for (const run of await listRuns(state, options)) {
    const record = foldRun(await readRun(state, run, options));
    if (record) uris.push(...pointsOfRun(record), ...copiesOfRun(record));
  }
  uris.push(...(await drillPoints(state, options)));
  for (const job of await region.flink.list(options)) {
    if (isEnded(job)) continue;
    const { restored } = await region.flink.checkpoints(job.id, options);
    if (restored) uris.push(restored.path);
  }
  const folders = uris.map((uri) => keyInBucket(uri.replace(/\/+$/, ''), region.objects.uri));
  return new Set(folders.flatMap((f) => (f === undefined ? [] : [pointOfTranslation(f) ?? f])));
}

/** So long a dead drill holds what it restored from. */
const DRILL_HOLD_MS = 3_600_000;

/** The URIs of the points that drills which are not cleaned up read, jobs of theirs included. */
async function drillPoints(
  state: ObjectStore,
  options: CallOptions & { readonly nowMs?: number },
): Promise<readonly string[]> {
  const { nowMs = Date.now(), ...call } = options;
  const notes = await listDrillNotes(state, call);
  return notes.filter(({ atMs }) => nowMs - atMs < DRILL_HOLD_MS).flatMap(({ points }) => points);
}

/**
 * The URIs of the copies that a run may have started jobs from: those that it prepared, if it began to start any. Pure.
 */
export function copiesOfRun(record: Pick<RunRecord, 'steps'>): readonly string[] {
  if (!record.steps.some((step) => step.id === 'start-jobs')) return [];
  return record.steps.flatMap((step) => {
    if (step.id !== 'prepare-restore' || !('evidence' in step)) return [];
    const parsed = prepared.safeParse(step.evidence);
    return parsed.success ? parsed.data.restores.filter((r) => r.claimMode === 'CLAIM').map((r) => r.uri) : [];
  });
}

/** The URIs of the points that a run chose. Pure. */
export function pointsOfRun(record: Pick<RunRecord, 'steps'>): readonly string[] {
  return record.steps.flatMap((step) => {
    if (step.id !== 'choose-recovery-point' || !('evidence' in step)) return [];
    const parsed = chosen.safeParse(step.evidence);
    return parsed.success ? parsed.data.points.map((p) => p.uri) : [];
  });
}
