/**
 * Where things lie, as keys of a bucket. In the primary's, as Flink writes them: `<prefix>/<flink job id>/chk-<n>/`.
 * In the replica's, as Argus does:
 *
 *     argus/replica/<job>/files/<key in the primary's bucket>
 *     argus/replica/<job>/points/<flink job id>-<checkpoint id, 10 digits>/_metadata
 *     argus/replica/<job>/points/<flink job id>-<checkpoint id, 10 digits>/manifest.json   the commit mark
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
 * The key of a file in the bucket that `bucketUri` names; `undefined` when it lies elsewhere.
 * Flink's file systems name the same bucket `s3://`, `s3a://` and `s3n://`.
 */
export function keyInBucket(uri: string, bucketUri: string): string | undefined {
  const same = uri.replace(/^s3[an]:\/\//, 's3://');
  const root = `${bucketUri}/`;
  return same.startsWith(root) && same.length > root.length ? same.slice(root.length) : undefined;
}
