import type { FlinkJobs, FlinkSnapshot } from '../../regions/flink/flink-jobs.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { completedCheckpoints, inFolders, runsUnder } from './catalogue.ts';
import type { CheckpointName } from './locations.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A checkpoint or savepoint as the primary's bucket or its Flink shows it. */
export interface SeenPoint {
  readonly kind: 'checkpoint' | 'savepoint';
  /** `null`: a savepoint that Flink doesn't tell of; its folder names no job. */
  readonly flinkJobId: string | null;
  readonly checkpointId: number;
  /** The directory of its `_metadata`, with `s3://` whatever Flink calls it. */
  readonly uri: string;
  readonly completedAtMs: number;
}

/** The same point, by all who have seen it. */
export interface PrimaryPoint extends SeenPoint {
  /** `bucket`: its `_metadata` is there. */
  readonly seenIn: readonly ('bucket' | 'flink')[];
  readonly replicated: boolean;
}

export interface PrimaryCatalogue {
  /** Newest completion first. */
  readonly points: readonly PrimaryPoint[];
  /** Why Flink could not be asked; the bucket tells of its checkpoints all the same. */
  readonly flinkSilent?: string;
}

/**
 * One list of what the bucket holds and what Flink remembers, newest first. Of one that both know, Flink tells whose it
 * is, and the bucket when it was complete: that is the time by which it is replicated. Pure.
 */
export function mergePrimaryPoints(
  inBucket: readonly SeenPoint[],
  inFlink: readonly SeenPoint[],
  replicated: readonly CheckpointName[],
): readonly PrimaryPoint[] {
  const key = (name: CheckpointName) => `${name.flinkJobId}/${name.checkpointId}`;
  const there = new Set(replicated.map(key));
  const byUri = new Map<string, Omit<PrimaryPoint, 'replicated'>>();
  for (const seen of inBucket) byUri.set(plain(seen.uri), { ...seen, uri: plain(seen.uri), seenIn: ['bucket'] });
  for (const told of inFlink) {
    const uri = plain(told.uri);
    const before = byUri.get(uri);
    byUri.set(
      uri,
      before === undefined
        ? { ...told, uri, seenIn: ['flink'] }
        : { ...before, flinkJobId: told.flinkJobId ?? before.flinkJobId, seenIn: ['bucket', 'flink'] },
    );
  }
  return [...byUri.values()]
    .map((point) => {
      const { flinkJobId, checkpointId } = point;
      return { ...point, replicated: flinkJobId !== null && there.has(key({ flinkJobId, checkpointId })) };
    })
    .sort((a, b) => b.completedAtMs - a.completedAtMs || b.checkpointId - a.checkpointId || (a.uri < b.uri ? -1 : 1));
}

const plain = (uri: string) => uri.replace(/^s3[an]:\/\//, 's3://').replace(/\/+$/, '');

export interface PrimaryCatalogueOptions {
  readonly objects: ObjectStore;
  readonly flink: Pick<FlinkJobs, 'list' | 'snapshots'>;
  /** Its name in Flink. */
  readonly job: string;
  readonly prefix: string;
  /** Where its savepoints are written; absent: only those that Flink tells of are found. */
  readonly savepoints?: string | undefined;
  readonly replicated: readonly CheckpointName[];
  readonly signal?: AbortSignal;
}

/**
 * What the primary has of a job: by one listing of each run's folder and of the savepoints', without `shared/`, and by
 * Flink's history where it answers within 2 s. Errors of the bucket are thrown.
 */
export async function gatherPrimaryPoints(options: PrimaryCatalogueOptions): Promise<PrimaryCatalogue> {
  const { objects, replicated, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const [runs, savepoints, flink] = await Promise.all([
    checkpointsInBucket(objects, options.prefix, call),
    options.savepoints === undefined ? [] : savepointsInBucket(objects, options.savepoints, call),
    inFlink(options).catch((error: unknown) => {
      signal?.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    }),
  ]);
  const silent = typeof flink === 'string' ? { flinkSilent: flink } : {};
  const points = mergePrimaryPoints([...runs, ...savepoints], typeof flink === 'string' ? [] : flink, replicated);
  return { points, ...silent };
}

async function checkpointsInBucket(
  store: ObjectStore,
  prefix: string,
  call: CallOptions,
): Promise<readonly SeenPoint[]> {
  const found: SeenPoint[] = [];
  for (const run of await runsUnder(store, prefix, call)) {
    for (const { directory, ...rest } of await completedCheckpoints(store, prefix, run, call)) {
      found.push({ kind: 'checkpoint', ...rest, uri: `${store.uri}/${directory}` });
    }
  }
  return found;
}

/** Savepoints with `_metadata`, which tells their number; what can't be read is none. */
async function savepointsInBucket(
  store: ObjectStore,
  prefix: string,
  call: CallOptions,
): Promise<readonly SeenPoint[]> {
  const { prefixes } = await store.list(`${prefix}/`, { ...call, delimiter: '/' });
  const found: SeenPoint[] = [];
  for (const folder of prefixes) {
    if (!folder.slice(prefix.length + 1).startsWith('savepoint-')) continue;
    const metadata = await store.get(`${folder}_metadata`, call);
    const checkpointId = metadata && checkpointIdOf(metadata.body);
    if (metadata === undefined || checkpointId === undefined) continue;
    const uri = `${store.uri}/${folder.slice(0, -1)}`;
    found.push({
      kind: 'savepoint',
      flinkJobId: null,
      checkpointId,
      uri,
      completedAtMs: metadata.info.modifiedAtMs,
    });
  }
  return found;
}

function checkpointIdOf(metadata: Uint8Array): number | undefined {
  try {
    return Number(readMetadata(metadata).checkpointId);
  } catch {
    // Foreign or damaged: `argus checkpoints show <uri>` says how.
    return undefined;
  }
}

async function inFlink({ flink, job, signal }: PrimaryCatalogueOptions): Promise<readonly SeenPoint[]> {
  const soon = AbortSignal.timeout(2_000);
  const call = { signal: signal === undefined ? soon : AbortSignal.any([signal, soon]) };
  const runs = (await flink.list(call)).filter((each) => each.name === job);
  const told = await Promise.all(
    runs.map(async (run) => (await flink.snapshots(run.id, call)).map(seenBy(inFolders(run)))),
  );
  return told.flat();
}

const seenBy =
  (flinkJobId: string) =>
  ({ kind, id, path, completedAtMs }: FlinkSnapshot): SeenPoint => ({
    kind,
    flinkJobId,
    checkpointId: id,
    uri: path,
    completedAtMs,
  });
