import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { ObjectInfo, ObjectStore } from '../../regions/objects/object-store.ts';
import { type CheckpointName, parsePointFolder, pointFolder, replicaFolder } from './locations.ts';
import { decodeManifest } from './manifest.ts';

/** A replicated checkpoint as it was found. */
export interface ReplicaPoint {
  readonly manifest: CheckpointManifest;
  /** Of the relocated `_metadata` that lies there now; `undefined` when it is missing. Only where it was asked for. */
  readonly metadataSha256?: string | undefined;
}

/** Something on the replica that is no usable checkpoint. */
export interface ReplicaProblem {
  readonly key: string;
  readonly code: 'HalfWritten' | 'ManifestInvalid' | 'ManifestForeign' | 'ManifestNewer';
  readonly message: string;
}

export interface Replica {
  /** Newest completion first. */
  readonly points: readonly ReplicaPoint[];
  readonly problems: readonly ReplicaProblem[];
  /** Every object of the job's replica, by key. */
  readonly objects: ReadonlyMap<string, ObjectInfo>;
  /** How many older manifests were not read, because of the limit. */
  readonly older: number;
}

export interface ListReplicaOptions {
  /** Read only so many manifests, the newest; default all. */
  readonly limit?: number;
  /** Pass over so many of the newest first; default none. */
  readonly skip?: number;
  /** Also read each `_metadata`, to compare its hash. */
  readonly hashMetadata?: boolean;
  readonly signal?: AbortSignal;
}

/** A job's replica as one listing found it; manifests are read as they are asked for. */
export interface OpenReplica {
  /** Every object of the job's replica, by key. */
  readonly objects: ReadonlyMap<string, ObjectInfo>;
  /** What the listing alone tells to be no usable checkpoint. */
  readonly problems: readonly ReplicaProblem[];
  /** How many manifests there are. */
  readonly manifests: number;
  /**
   * Reads the manifests from one to before another, counted from the newest; those that are gone are left out, what is
   * no manifest of the job is told. With `hashMetadata` each `_metadata` too.
   */
  read(from: number, to: number, options?: { readonly hashMetadata?: boolean }): Promise<Replica>;
}

/** Lists a job's replica once. */
export async function openReplica(
  store: ObjectStore,
  job: string,
  call: { readonly signal?: AbortSignal } = {},
): Promise<OpenReplica> {
  const listing = await store.list(replicaFolder(job), call);
  const objects = new Map(listing.objects.map((object) => [object.key, object]));
  const problems: ReplicaProblem[] = [];
  const manifests: ObjectInfo[] = [];
  for (const { key } of listing.objects) {
    const folder = key.slice(0, key.lastIndexOf('/'));
    if (parsePointFolder(job, folder) === undefined) continue;
    const manifest = objects.get(`${folder}/manifest.json`);
    if (key === manifest?.key) manifests.push(manifest);
    else if (manifest === undefined && key.endsWith('/_metadata')) {
      problems.push({
        key: folder,
        code: 'HalfWritten',
        message: `${folder} has no manifest: its copy did not finish`,
      });
    }
  }
  const ordered = newestWritten(job, manifests);
  return {
    objects,
    problems,
    manifests: manifests.length,
    async read(from, to, options = {}) {
      const found = await eachAtOnce(ordered.slice(from, to), READS_AT_ONCE, ({ key }) =>
        readPoint(store, job, key, { ...call, ...options }),
      );
      const points = found.flatMap((each) => (each !== undefined && 'manifest' in each ? [each] : []));
      points.sort((a, b) => newestFirst(a.manifest, b.manifest));
      const wrong = found.flatMap((each) => (each !== undefined && 'code' in each ? [each] : []));
      return { points, problems: [...problems, ...wrong], objects, older: Math.max(0, manifests.length - to) };
    },
  };
}

/**
 * What the replica of a job holds: one listing and a read for each manifest. A half-written or foreign one is reported,
 * not fatal.
 */
export async function listReplica(store: ObjectStore, job: string, options: ListReplicaOptions = {}): Promise<Replica> {
  const replica = await openReplica(store, job, options.signal === undefined ? {} : { signal: options.signal });
  const { skip = 0, limit = replica.manifests, hashMetadata = false } = options;
  return replica.read(skip, skip + limit, { hashMetadata });
}

/** A point, or what is wrong with it; undefined when its manifest is gone. */
export async function readPoint(
  store: ObjectStore,
  job: string,
  key: string,
  options: { readonly hashMetadata?: boolean; readonly signal?: AbortSignal },
): Promise<ReplicaPoint | ReplicaProblem | undefined> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const found = await store.get(key, call);
  if (found === undefined) return undefined;
  const manifest = decodeManifest(found.body);
  if ('problem' in manifest) {
    return { key, code: manifest.newer ? 'ManifestNewer' : 'ManifestInvalid', message: `${key} ${manifest.problem}` };
  }
  if (manifest.job !== job || `${pointFolder(job, manifest)}/manifest.json` !== key) {
    const of = `checkpoint ${manifest.checkpointId} of ${manifest.flinkJobId} of the job ${manifest.job}`;
    return { key, code: 'ManifestForeign', message: `${key} is the manifest of ${of}` };
  }
  if (options.hashMetadata !== true) return { manifest };
  const metadata = await store.get(manifest.metadata.key, call);
  return { manifest, metadataSha256: metadata && createHash('sha256').update(metadata.body).digest('hex') };
}

const READS_AT_ONCE = 8;

/**
 * Manifests by what their keys tell, newest first: the run that was written to last, and in it the highest checkpoint.
 * Not by their own times, since a gap is filled with older checkpoints after the newest was copied.
 */
function newestWritten(job: string, manifests: readonly ObjectInfo[]): readonly ObjectInfo[] {
  const named = manifests.map((info) => ({
    info,
    name: parsePointFolder(job, info.key.slice(0, info.key.lastIndexOf('/'))) as CheckpointName,
  }));
  const lastWrite = new Map<string, number>();
  for (const { info, name } of named) {
    lastWrite.set(name.flinkJobId, Math.max(lastWrite.get(name.flinkJobId) ?? 0, info.modifiedAtMs));
  }
  const of = (name: CheckpointName) => lastWrite.get(name.flinkJobId) ?? 0;
  return named
    .sort(
      (a, b) =>
        of(b.name) - of(a.name) ||
        (a.name.flinkJobId === b.name.flinkJobId
          ? b.name.checkpointId - a.name.checkpointId
          : a.name.flinkJobId < b.name.flinkJobId
            ? 1
            : -1),
    )
    .map(({ info }) => info);
}

/** Orders by completion, newest first. */
export function newestFirst(a: CheckpointManifest, b: CheckpointManifest): number {
  return b.completedAtMs - a.completedAtMs || b.checkpointId - a.checkpointId || (a.flinkJobId < b.flinkJobId ? 1 : -1);
}

/** Why a point's files are not what its manifest says. */
export interface FileProblem {
  readonly code: 'FileMissing' | 'FileSizeDiffers' | 'FileChanged' | 'MetadataMissing' | 'MetadataDamaged';
  /** Of the file, or of the `_metadata`. */
  readonly key: string;
  readonly message: string;
}

/**
 * Compares a point with the objects that are there: all files in their sizes, unchanged since their copy, and the
 * `_metadata` intact. Pure; empty when nothing is wrong.
 */
export function verifyPoint(
  point: ReplicaPoint,
  objects: ReadonlyMap<string, Pick<ObjectInfo, 'sizeBytes' | 'etag'>>,
): readonly FileProblem[] {
  const problems: FileProblem[] = [];
  const { metadata, files } = point.manifest;
  const there = objects.get(metadata.key);
  const hashDiffers = 'metadataSha256' in point && point.metadataSha256 !== metadata.sha256;
  if (there === undefined) {
    problems.push({ code: 'MetadataMissing', key: metadata.key, message: `${metadata.key} is not on the replica` });
  } else if (there.sizeBytes !== metadata.sizeBytes || hashDiffers) {
    problems.push({ code: 'MetadataDamaged', key: metadata.key, message: `${metadata.key} is not what was written` });
  }
  for (const file of files) {
    const found = objects.get(file.key);
    if (found === undefined) {
      problems.push({ code: 'FileMissing', key: file.key, message: `${file.key} is not on the replica` });
    } else if (file.sizeRule === 'exact' ? found.sizeBytes !== file.sizeBytes : found.sizeBytes < file.sizeBytes) {
      const rule = file.sizeRule === 'exact' ? '' : 'at least ';
      const message = `${file.key} has ${found.sizeBytes} bytes, ${rule}${file.sizeBytes} are needed`;
      problems.push({ code: 'FileSizeDiffers', key: file.key, message });
    } else if (file.sizeRule === 'exact' && file.etag !== '' && found.etag !== file.etag) {
      problems.push({ code: 'FileChanged', key: file.key, message: `${file.key} was overwritten after its copy` });
    }
  }
  return problems;
}
