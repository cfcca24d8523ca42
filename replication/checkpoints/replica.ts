import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { ObjectInfo, ObjectStore } from '../../regions/objects/object-store.ts';
import { parsePointFolder, pointFolder, replicaFolder } from './locations.ts';
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
  readonly code: 'HalfWritten' | 'ManifestInvalid' | 'ManifestForeign';
  readonly message: string;
}

export interface Replica {
  /** Newest completion first. */
  readonly points: readonly ReplicaPoint[];
  readonly problems: readonly ReplicaProblem[];
  /** Every object of the job's replica, by key. */
  readonly objects: ReadonlyMap<string, ObjectInfo>;
}

export interface ListReplicaOptions {
  /** Read only so many manifests, the most recently written; default all. */
  readonly limit?: number;
  /** Also read each `_metadata`, to compare its hash. */
  readonly hashMetadata?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * What the replica of a job holds: one listing and a read for each manifest. A half-written or foreign one is reported,
 * not fatal.
 */
export async function listReplica(store: ObjectStore, job: string, options: ListReplicaOptions = {}): Promise<Replica> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
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
  const points: ReplicaPoint[] = [];
  const recent = manifests.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs || (a.key < b.key ? 1 : -1));
  for (const { key } of recent.slice(0, options.limit)) {
    const found = await store.get(key, call);
    if (found === undefined) continue;
    const manifest = decodeManifest(found.body);
    if ('problem' in manifest) {
      problems.push({ key, code: 'ManifestInvalid', message: `${key} ${manifest.problem}` });
    } else if (manifest.job !== job || `${pointFolder(job, manifest)}/manifest.json` !== key) {
      const of = `checkpoint ${manifest.checkpointId} of ${manifest.flinkJobId} of the job ${manifest.job}`;
      problems.push({ key, code: 'ManifestForeign', message: `${key} is the manifest of ${of}` });
    } else if (options.hashMetadata === true) {
      const metadata = await store.get(manifest.metadata.key, call);
      const metadataSha256 = metadata && createHash('sha256').update(metadata.body).digest('hex');
      points.push({ manifest, metadataSha256 });
    } else points.push({ manifest });
  }
  points.sort((a, b) => newestFirst(a.manifest, b.manifest));
  return { points, problems, objects };
}

/** Orders by completion, newest first. */
export function newestFirst(a: CheckpointManifest, b: CheckpointManifest): number {
  return b.completedAtMs - a.completedAtMs || b.checkpointId - a.checkpointId || (a.flinkJobId < b.flinkJobId ? 1 : -1);
}

/** Why a point's files are not what its manifest says. */
export interface FileProblem {
  readonly code: 'FileMissing' | 'FileSizeDiffers' | 'FileChanged' | 'MetadataMissing' | 'MetadataDamaged';
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
    problems.push({ code: 'MetadataMissing', message: `${metadata.key} is not on the replica` });
  } else if (there.sizeBytes !== metadata.sizeBytes || hashDiffers) {
    problems.push({ code: 'MetadataDamaged', message: `${metadata.key} is not what was written` });
  }
  for (const file of files) {
    const found = objects.get(file.key);
    if (found === undefined) {
      problems.push({ code: 'FileMissing', message: `${file.key} is not on the replica` });
    } else if (file.sizeRule === 'exact' ? found.sizeBytes !== file.sizeBytes : found.sizeBytes < file.sizeBytes) {
      const rule = file.sizeRule === 'exact' ? '' : 'at least ';
      const message = `${file.key} has ${found.sizeBytes} bytes, ${rule}${file.sizeBytes} are needed`;
      problems.push({ code: 'FileSizeDiffers', message });
    } else if (file.sizeRule === 'exact' && file.etag !== '' && found.etag !== file.etag) {
      problems.push({ code: 'FileChanged', message: `${file.key} was overwritten after its copy` });
    }
  }
  return problems;
}
