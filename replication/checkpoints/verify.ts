import { createHash, type Hash } from 'node:crypto';
import type { CheckpointManifest, ReplicaFile } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { keyInBucket, pointFolder } from './locations.ts';

export interface VerifyCheckpointsOptions {
  /** The replica's bucket. */
  readonly store: ObjectStore;
  /** In the order in which a first difference counts. */
  readonly manifests: readonly CheckpointManifest[];
  /** Reads at once; default 8. */
  readonly parallelism?: number;
  readonly onProgress?: (now: ByteProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far a verification is; a file of several checkpoints counts once. */
export interface ByteProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** One thing that is not what the manifest says. */
export interface ByteDifference {
  readonly key: string;
  readonly code:
    | 'FileMissing'
    | 'FileSizeDiffers'
    | 'FileChanged'
    | 'BytesDiffer'
    | 'MetadataMissing'
    | 'MetadataDamaged'
    | 'MetadataPointsElsewhere';
  readonly message: string;
}

export interface VerifiedCheckpoint {
  readonly job: string;
  readonly flinkJobId: string;
  readonly checkpointId: number;
  /** `gone`: its manifest was removed meanwhile, so that nothing can be said of its files. */
  readonly state: 'same' | 'differs' | 'gone';
  readonly files: number;
  readonly bytes: number;
  /** Files whose bytes nothing in the manifest vouches for: only their size was compared. */
  readonly unprovenFiles: number;
  readonly differences: readonly ByteDifference[];
}

export interface VerifiedReplica {
  /** In the order in which the manifests were given. */
  readonly checkpoints: readonly VerifiedCheckpoint[];
  readonly filesRead: number;
  readonly bytesRead: number;
}

/** What one object turned out to be: its size, and the hashes of its first bytes, by their number. */
interface ReadObject {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly sha256: ReadonlyMap<number, string>;
  readonly md5?: string;
}

/**
 * Reads every object that the manifests name and compares it with them, each object once however many checkpoints
 * share it. Memory does not grow with the sizes of files. Errors of the store are thrown.
 */
export async function verifyCheckpoints(options: VerifyCheckpointsOptions): Promise<VerifiedReplica> {
  const { store, manifests, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const wanted = new Map<string, ReplicaFile[]>();
  for (const { files } of manifests) {
    for (const file of files) {
      const same = wanted.get(file.key);
      if (same === undefined) wanted.set(file.key, [file]);
      else same.push(file);
    }
  }
  const sizes = [...wanted.values()].map((of) => Math.max(...of.map((f) => f.sizeBytes)));
  const total = { totalFiles: wanted.size, totalBytes: sizes.reduce((a, b) => a + b, 0) };
  let [files, bytes] = [0, 0];
  const tell = () => options.onProgress?.({ files, bytes, ...total });
  const found = new Map<string, ReadObject | undefined>();
  await eachAtOnce([...wanted], options.parallelism ?? 8, async ([key, of]) => {
    const passed = (count: number) => {
      bytes += count;
      tell();
    };
    found.set(key, await readObject(store, key, of, passed, call));
    files++;
    tell();
  });
  const checkpoints: VerifiedCheckpoint[] = [];
  for (const manifest of manifests) {
    const differences = [
      ...(await metadataDifferences(store, manifest, call)),
      ...manifest.files.flatMap((file) => fileDifference(file, found.get(file.key)) ?? []),
    ];
    const gone = differences.length > 0 && (await store.head(manifestKey(manifest), call)) === undefined;
    checkpoints.push({
      job: manifest.job,
      flinkJobId: manifest.flinkJobId,
      checkpointId: manifest.checkpointId,
      state: gone ? 'gone' : differences.length === 0 ? 'same' : 'differs',
      files: manifest.files.length,
      bytes: manifest.files.reduce((sum, f) => sum + f.sizeBytes, 0),
      unprovenFiles: manifest.files.filter((file) => isUnproven(file, found.get(file.key))).length,
      differences: gone ? [] : differences,
    });
  }
  return { checkpoints, filesRead: files, bytesRead: bytes };
}

function manifestKey(manifest: CheckpointManifest): string {
  return `${pointFolder(manifest.job, manifest)}/manifest.json`;
}

/** What the file should be against what was read of it; `undefined` when nothing is wrong. Pure. */
export function fileDifference(file: ReplicaFile, read: ReadObject | undefined): ByteDifference | undefined {
  const { key, checksum } = file;
  if (read === undefined) return { key, code: 'FileMissing', message: `${key} is not on the replica` };
  const least = Math.max(file.sizeBytes, checksum?.sizeBytes ?? 0);
  if (file.sizeRule === 'exact' ? read.sizeBytes !== file.sizeBytes : read.sizeBytes < least) {
    const rule = file.sizeRule === 'exact' ? `${file.sizeBytes}` : `at least ${least}`;
    return { key, code: 'FileSizeDiffers', message: `${key} has ${read.sizeBytes} bytes, ${rule} are needed` };
  }
  if (checksum === undefined) {
    if (file.sizeRule === 'atLeast' || file.etag === '' || read.etag === file.etag) return undefined;
    return { key, code: 'FileChanged', message: `${key} was overwritten after its copy` };
  }
  const sha256 = read.sha256.get(checksum.sizeBytes);
  if (sha256 === checksum.sha256) return undefined;
  const told = `SHA-256 ${sha256 ?? 'unknown'} instead of ${checksum.sha256} over ${checksum.sizeBytes} bytes`;
  return { key, code: 'BytesDiffer', message: `${key} is not what was copied: ${told}` };
}

/**
 * Without a checksum an ETag that is the MD5 of what lies there vouches for the bytes. One that is not may be the ETag
 * of a multi-part upload, or of an encrypted object: it tells nothing.
 */
function isUnproven(file: ReplicaFile, read: ReadObject | undefined): boolean {
  return read !== undefined && file.checksum === undefined && read.md5 !== file.etag;
}

async function readObject(
  store: ObjectStore,
  key: string,
  of: readonly ReplicaFile[],
  passed: (bytes: number) => void,
  call: { readonly signal?: AbortSignal },
): Promise<ReadObject | undefined> {
  const object = await store.open(key, call);
  if (object === undefined) return undefined;
  const lengths = new Set(of.flatMap((f) => (f.checksum === undefined ? [] : [f.checksum.sizeBytes])));
  const prefixes = prefixHashes(lengths);
  const md5 = of.some((f) => f.checksum === undefined) ? createHash('md5') : undefined;
  let sizeBytes = 0;
  for await (const chunk of object.body.stream as AsyncIterable<Uint8Array>) {
    prefixes.update(chunk);
    md5?.update(chunk);
    sizeBytes += chunk.length;
    passed(chunk.length);
  }
  return {
    sizeBytes,
    etag: object.info.etag,
    sha256: prefixes.digests(),
    ...(md5 === undefined ? {} : { md5: md5.digest('hex') }),
  };
}

/** SHA-256 of the first n bytes of a stream, for each n that is asked for; those that it doesn't reach are left out. */
export function prefixHashes(lengths: ReadonlySet<number>): {
  update(chunk: Uint8Array): void;
  digests(): ReadonlyMap<number, string>;
} {
  const hash: Hash | undefined = lengths.size > 0 ? createHash('sha256') : undefined;
  const ahead = [...lengths].sort((a, b) => a - b);
  const digests = new Map<number, string>();
  let seen = 0;
  const settle = () => {
    while (hash !== undefined && ahead[0] === seen) digests.set(ahead.shift() ?? 0, hash.copy().digest('hex'));
  };
  settle();
  return {
    update(chunk) {
      let rest = chunk;
      while (rest.length > 0 && ahead[0] !== undefined) {
        const part = rest.subarray(0, Math.min(rest.length, ahead[0] - seen));
        hash?.update(part);
        seen += part.length;
        rest = rest.subarray(part.length);
        settle();
      }
    },
    digests: () => digests,
  };
}

/** The relocated `_metadata`: its bytes, and that it needs no file but those of the manifest. */
async function metadataDifferences(
  store: ObjectStore,
  manifest: CheckpointManifest,
  call: { readonly signal?: AbortSignal },
): Promise<readonly ByteDifference[]> {
  const { key, sha256 } = manifest.metadata;
  const object = await store.get(key, call);
  if (object === undefined) return [{ key, code: 'MetadataMissing', message: `${key} is not on the replica` }];
  if (createHash('sha256').update(object.body).digest('hex') !== sha256) {
    return [{ key, code: 'MetadataDamaged', message: `${key} is not what was written` }];
  }
  try {
    const named = new Set(manifest.files.map((file) => file.key));
    for (const { uri } of fileReferences(readMetadata(object.body), manifest.replicaUri)) {
      const file = keyInBucket(uri, store.uri);
      if (file !== undefined && named.has(file)) continue;
      const message = `${key} needs ${uri}, which is no file of its manifest in ${store.uri}`;
      return [{ key, code: 'MetadataPointsElsewhere', message }];
    }
    return [];
  } catch (error) {
    if (!(error instanceof ArgusError)) throw error;
    return [{ key, code: 'MetadataDamaged', message: `${key}: ${error.message}` }];
  }
}
