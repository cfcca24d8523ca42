import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ArgusError } from '../domain/errors.ts';
import { keyInBucket, REPLICA_ROOT } from '../replication/checkpoints/locations.ts';

/** Where a person wants a checkpoint relocated to. */
export type RelocationTarget =
  /** In the standby's bucket, below this key prefix, which ends in a slash. */
  | { readonly kind: 'standby'; readonly prefix: string; readonly uri: string }
  | { readonly kind: 'folder'; readonly path: string; readonly uri: string };

/**
 * What `--to` names, or a refusal: the primary's bucket is never written, and the replicator's own folder is its own.
 * Pure, given the working directory.
 */
export function relocationTarget(
  to: string,
  buckets: { readonly primary: string; readonly standby: string },
  cwd: string,
): RelocationTarget {
  const plain = to.replace(/\/+$/, '');
  if (/^s3[an]?:\/\//.test(plain)) {
    const key = plain.replace(/^s3[an]:/, 's3:') === buckets.standby ? '' : keyInBucket(plain, buckets.standby);
    if (key !== undefined) return inBucket(key, buckets.standby);
    const primary = plain === buckets.primary || keyInBucket(plain, buckets.primary) !== undefined;
    throw new ArgusError(
      primary ? 'PrimaryIsNeverWritten' : 'TargetUnknown',
      primary ? `${to} is in the bucket of the primary` : `nobody knows how to write to ${to}`,
      { exitCode: primary ? 3 : 2, hint: `Name a folder, or a prefix in ${buckets.standby}.` },
    );
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(plain) && !plain.startsWith('file:')) {
    throw new ArgusError('TargetUnknown', `nobody knows how to write to ${to}`, {
      exitCode: 2,
      hint: `Name a folder, or a prefix in ${buckets.standby}.`,
    });
  }
  const named = plain.startsWith('file:') ? fromUri(plain) : plain;
  const path = isAbsolute(named) ? named : resolve(cwd, named);
  const uri = pathToFileURL(path).href;
  if (uri === `file://${path}`) return { kind: 'folder', path, uri };
  throw new ArgusError('TargetUnknown', `${path} has characters that Flink's URIs would not have`, {
    exitCode: 2,
    hint: 'Name a folder of letters, digits, dots, hyphens and slashes.',
  });
}

function inBucket(key: string, bucketUri: string): RelocationTarget {
  const prefix = `${key}/`;
  if (key === '' || prefix.startsWith(REPLICA_ROOT) || REPLICA_ROOT.startsWith(prefix)) {
    throw new ArgusError('TargetIsTheReplica', `${bucketUri}/${key} is, or holds, what the replicator keeps`, {
      exitCode: 3,
      hint: `Name another prefix: ${bucketUri}/relocated/<a name>.`,
    });
  }
  return { kind: 'standby', prefix, uri: `${bucketUri}/${key}` };
}

function fromUri(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (cause) {
    throw new ArgusError('TargetUnknown', `${uri} names no folder of this machine`, { cause, exitCode: 2 });
  }
}
