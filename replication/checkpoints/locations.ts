/**
 * Where things lie, as keys of a bucket. In the primary's, as Flink writes them: `<prefix>/<flink job id>/chk-<n>/`.
 * In the replica's, as Argus does:
 *
 *     argus/replica/<job>/files/<key in the primary's bucket>
 *     argus/replica/<job>/points/<flink job id>-<checkpoint id, 10 digits>/_metadata
 *     argus/replica/<job>/points/<flink job id>-<checkpoint id, 10 digits>/manifest.json   the commit mark
 *     argus/replica/<job>/claims/<id of the standby's job>/<name of the point>/metadata/_metadata
 *     argus/replica/<job>/claims/<id of the standby's job>/<name of the point>/files/<key>   a copy that the job owns
 */
export const REPLICA_ROOT = 'argus/replica/';

/** One checkpoint of one run of a Flink job. */
export interface CheckpointName {
  /** 32 hex digits. */
  readonly flinkJobId: string;
  readonly checkpointId: number;
}

/** The folder of one job's replica; ends in a slash. Characters that keys and URIs don't like are escaped. */
export function replicaFolder(job: string): string {
  const safe = job.replace(/[^A-Za-z0-9.-]/g, (c) => `_${c.codePointAt(0)?.toString(16).padStart(4, '0')}`);
  return `${REPLICA_ROOT}${safe}/`;
}

export function filesFolder(job: string): string {
  return `${replicaFolder(job)}files/`;
}

export function pointsFolder(job: string): string {
  return `${replicaFolder(job)}points/`;
}

/** The folder of one replicated checkpoint, without a slash at its end. */
export function pointFolder(job: string, name: CheckpointName): string {
  return `${pointsFolder(job)}${name.flinkJobId}-${String(name.checkpointId).padStart(10, '0')}`;
}

/** What {@link pointFolder} was made of; `undefined` for the key of anything else. */
export function parsePointFolder(job: string, folder: string): CheckpointName | undefined {
  const root = pointsFolder(job);
  const match = folder.startsWith(root) ? /^([0-9a-f]{32})-(\d{10,})$/.exec(folder.slice(root.length)) : null;
  return match === null ? undefined : { flinkJobId: match[1] ?? '', checkpointId: Number(match[2]) };
}

/**
 * The folder of a point's `_metadata` with the offsets of a standby whose copy has others, without a slash at its end;
 * named by its content.
 */
export function translationFolder(job: string, name: CheckpointName, sha256: string): string {
  return `${pointFolder(job, name)}/translated-${sha256.slice(0, 16)}`;
}

/** The folder of the point whose translation a folder is, or a key lies in; `undefined` for anything else. */
export function pointOfTranslation(key: string): string | undefined {
  const at = key.lastIndexOf('/translated-');
  return at >= 0 && /^\/translated-[0-9a-f]{16}(?:\/[^/]+)?$/.test(key.slice(at)) ? key.slice(0, at) : undefined;
}

function claimsFolder(job: string): string {
  return `${replicaFolder(job)}claims/`;
}

/**
 * The folder of a point's copy for one start of a job on the standby, without a slash at its end. Flink deletes from it
 * what the job no longer needs (claim mode CLAIM), so no other job may be restored from it. Its `_metadata` lies in a
 * folder without any file, since Flink also deletes that folder.
 */
export function claimFolder(job: string, standbyJobId: string, point: CheckpointName): string {
  return `${claimsFolder(job)}${standbyJobId}/${pointFolder(job, point).slice(pointsFolder(job).length)}`;
}

/** The copy's folder that a key or a folder belongs to, and the point that it is a copy of; `undefined` for anything else. */
export function parseClaim(
  job: string,
  key: string,
): { readonly folder: string; readonly point: CheckpointName } | undefined {
  const root = claimsFolder(job);
  const match = key.startsWith(root) ? /^([0-9a-f]{32}\/([^/]+))(?:\/|$)/.exec(key.slice(root.length)) : null;
  const point = match === null ? undefined : parsePointFolder(job, pointsFolder(job) + match[2]);
  return point && { folder: root + match?.[1], point };
}

/**
 * The key of a file in the bucket that `bucketUri` names; `undefined` when it lies elsewhere.
 * Flink's file systems name the same bucket `s3://`, `s3a://` and `s3n://`.
 */
export function keyInBucket(uri: string, bucketUri: string): string | undefined {
  const same = uri.replace(/^s3[an]:\/\//, 's3://');
  const root = `${bucketUri}/`;
  return same.startsWith(root) && same.length > root.length ? same.slice(root.length) : undefined;
}
