import { buffer } from 'node:stream/consumers';
import type { CheckpointManifest, FileChecksum, ReplicaFile, SinkEnds } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, offsetToJson } from '../../domain/offsets.ts';
import { hasChangelog } from '../../regions/flink/changelog-state.ts';
import { metadataInvalid } from '../../regions/flink/java-data.ts';
import { dropCommittables } from '../../regions/flink/kafka-state.ts';
import { fileReferences, relocateOperator } from '../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadataPieces } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore, PutResult } from '../../regions/objects/object-store.ts';
import type { CheckpointDirectory } from './catalogue.ts';
import { checksumOf, hashingStream } from './hashing-stream.ts';
import { kafkaStates } from './kafka-states.ts';
import { filesFolder, keyInBucket, pointFolder } from './locations.ts';
import { encodeManifest } from './manifest.ts';
import { proveFiles } from './prove-files.ts';
import { putPieces } from './put-pieces.ts';

/** What is known to be on the replica: by key in the replica's bucket. */
export type KnownFiles = Map<
  string,
  {
    readonly sizeBytes: number;
    readonly etag: string;
    /** Of the copy; absent where nobody knows it any more. */
    readonly checksum?: FileChecksum | undefined;
    /** No manifest vouches for it: a process that was killed may have left a part of it. */
    readonly unproven?: true;
  }
>;

export interface ReplicateOptions {
  /** The primary's bucket. */
  readonly source: ObjectStore;
  /** The standby's. */
  readonly target: ObjectStore;
  readonly job: string;
  readonly checkpoint: CheckpointDirectory;
  /** Files that need no copy; the copied ones are added. */
  readonly known: KnownFiles;
  /** The wall clock. */
  readonly now: () => number;
  /**
   * Where the job's sinks ended, looked at when the checkpoint is known to be complete; undefined when nobody can tell.
   * Never fails, and the copy goes on meanwhile.
   */
  readonly sinkEnds?: () => Promise<SinkEnds | undefined>;
  /** Copies at once; default 8. */
  readonly parallelism?: number;
  /** Told when the plan is made, and whenever a file or a part of it is copied. */
  readonly onProgress?: (now: CopyProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far the copy of one checkpoint is; only what the replica lacked is counted. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  /** As the checkpoint says; what grows by itself may be more. */
  readonly totalBytes: number;
}

export type ReplicateResult =
  | {
      readonly kind: 'replicated';
      readonly manifest: CheckpointManifest;
      readonly filesCopied: number;
      readonly bytesCopied: number;
    }
  /** It has no `_metadata`: still being made, given up, or removed before it was looked at. */
  | { readonly kind: 'incomplete' }
  /** Flink removed it during its copy, since a newer one is complete. What was copied stays on the replica. */
  | { readonly kind: 'superseded'; readonly missingKey: string; readonly completedAtMs: number }
  /** It can't be replicated, now or later. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** A file of the plan: what to copy from where to where, unless the replica has it. */
export interface PlannedFile {
  readonly sourceKey: string;
  readonly targetKey: string;
  readonly sizeBytes: number;
  readonly sizeRule: 'exact' | 'atLeast';
  readonly missing: boolean;
}

/** Up to this size a file is held in memory, so that its upload can be tried again. */
const BUFFERED_BYTES = 1 << 20;

/** Which files the replica needs for a checkpoint, and which of them it lacks. Pure. */
export function planFiles(
  metadata: CheckpointMetadata,
  at: { readonly directoryUri: string; readonly sourceUri: string; readonly job: string },
  known: ReadonlyMap<string, { readonly sizeBytes: number }>,
): readonly PlannedFile[] {
  return fileReferences(metadata, at.directoryUri).map((file) => {
    const sourceKey = keyInBucket(file.uri, at.sourceUri);
    if (sourceKey === undefined) throw outside(file.uri, at.sourceUri);
    const targetKey = filesFolder(at.job) + sourceKey;
    const has = known.get(targetKey)?.sizeBytes ?? -1;
    const missing = file.sizeRule === 'exact' ? has !== file.sizeBytes : has < file.sizeBytes;
    return { sourceKey, targetKey, sizeBytes: file.sizeBytes, sizeRule: file.sizeRule, missing };
  });
}

/**
 * Copies one checkpoint: the files that the replica lacks, then the relocated `_metadata`, then the manifest, so that
 * a manifest means complete. Idempotent; what was copied before an interruption is not copied again when `known` tells
 * of it. Errors of the stores are thrown.
 */
export async function replicateCheckpoint(options: ReplicateOptions): Promise<ReplicateResult> {
  const { source, target, job, checkpoint } = options;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const metadataKey = `${checkpoint.directory}/_metadata`;
  const original = await source.get(metadataKey, call);
  if (original === undefined) return { kind: 'incomplete' };
  const looking = options.sinkEnds?.();
  try {
    const directoryUri = `${source.uri}/${checkpoint.directory}`;
    const metadata = readMetadata(original.body);
    if (metadata.checkpointId !== BigInt(checkpoint.checkpointId)) {
      throw metadataInvalid(`the metadata of checkpoint ${metadata.checkpointId} in ${checkpoint.directory}`, 8);
    }
    const planned = planFiles(metadata, { directoryUri, sourceUri: source.uri, job }, options.known);
    const plan = await proveFiles(planned, options);
    const read = (uri: string) => readWhole(source, uri, call);
    const states = await kafkaStates(metadata, directoryUri, read);
    const copied = await copyMissing(plan, options);
    const relocate = relocateOperator({
      directory: directoryUri,
      move: (uri) => {
        const key = keyInBucket(uri, source.uri);
        return key === undefined ? undefined : `${target.uri}/${filesFolder(job)}${key}`;
      },
    });
    const relocated = writeMetadataPieces(metadata, (operator) => relocate(dropCommittables(operator)));
    const folder = pointFolder(job, checkpoint);
    const written = await putPieces(target, `${folder}/_metadata`, relocated, call);
    const sinkEnds = await looking;
    const manifest: CheckpointManifest = {
      version: 1,
      job,
      flinkJobId: checkpoint.flinkJobId,
      checkpointId: checkpoint.checkpointId,
      completedAtMs: original.info.modifiedAtMs,
      committedAtMs: options.now(),
      metadataVersion: metadata.version,
      sourceUri: directoryUri,
      replicaUri: `${target.uri}/${folder}`,
      metadata: { key: `${folder}/_metadata`, ...written },
      files: plan.map((file) => replicaFile(file, options.known)),
      sourceOffsets: [...states.offsets].sort(byPartition).map(offsetToJson),
      droppedTransactions: states.transactions,
      ...(sinkEnds === undefined ? {} : { sinkEnds }),
      needsClaim: hasChangelog(metadata),
    };
    await target.put(`${folder}/manifest.json`, encodeManifest(manifest), call);
    return { kind: 'replicated', manifest, ...copied };
  } catch (error) {
    if (error instanceof Vanished) {
      const still = await source.head(metadataKey, call);
      if (still === undefined) {
        return { kind: 'superseded', missingKey: error.key, completedAtMs: original.info.modifiedAtMs };
      }
      return {
        kind: 'refused',
        code: 'FileMissingAtSource',
        message: `${error.key} is missing although its checkpoint is still there`,
      };
    }
    if (error instanceof ArgusError && CHECKPOINT_FAULTS.has(error.code)) {
      return { kind: 'refused', code: error.code, message: error.message };
    }
    throw error;
  }
}

/** Faults of the checkpoint, not of the stores. */
const CHECKPOINT_FAULTS = new Set(['CheckpointMetadataInvalid', 'CheckpointOutsideBucket', 'FileSizeDiffersAtSource']);

class Vanished extends Error {
  readonly key: string;
  constructor(key: string) {
    super(`${key} is gone`);
    this.key = key;
  }
}

function outside(uri: string, bucket: string): ArgusError {
  return new ArgusError('CheckpointOutsideBucket', `the checkpoint references ${uri}, which is not in ${bucket}`, {
    hint: "Let the job keep all its state in the region's checkpoint bucket (also dstl.dfs.base-path).",
  });
}

async function readWhole(
  source: ObjectStore,
  uri: string,
  call: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const key = keyInBucket(uri, source.uri);
  if (key === undefined) throw outside(uri, source.uri);
  const found = await source.get(key, call);
  if (found === undefined) throw new Vanished(key);
  return found.body;
}

/**
 * Copies what is missing, a few at a time; the first failure ends it when the copies under way are done. What later
 * checkpoints need too comes first: a copy that loses against Flink then leaves the next one less to do.
 */
async function copyMissing(
  plan: readonly PlannedFile[],
  options: ReplicateOptions,
): Promise<{ readonly filesCopied: number; readonly bytesCopied: number }> {
  const own = `${options.checkpoint.directory}/`;
  const lacking = plan.filter((file) => file.missing);
  const missing = [
    ...lacking.filter((file) => !file.sourceKey.startsWith(own)),
    ...lacking.filter((file) => file.sourceKey.startsWith(own)),
  ];
  const total = { totalFiles: missing.length, totalBytes: missing.reduce((sum, file) => sum + file.sizeBytes, 0) };
  let [files, bytes] = [0, 0];
  const tell = (more: { readonly files?: number; readonly bytes?: number }) => {
    files += more.files ?? 0;
    bytes += more.bytes ?? 0;
    options.onProgress?.({ files, bytes, ...total });
  };
  tell({});
  const sizes = await eachAtOnce(missing, options.parallelism ?? 8, async (file) => {
    const size = await copyFile(file, options, (passed) => tell({ bytes: passed }));
    tell({ files: 1 });
    return size;
  });
  return { filesCopied: missing.length, bytesCopied: sizes.reduce((sum, size) => sum + size, 0) };
}

async function copyFile(
  file: PlannedFile,
  options: ReplicateOptions,
  passed: (bytes: number) => void,
): Promise<number> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const from = await options.source.open(file.sourceKey, call);
  if (from === undefined) throw new Vanished(file.sourceKey);
  const { sizeBytes, stream } = from.body;
  if (file.sizeRule === 'exact' ? sizeBytes !== file.sizeBytes : sizeBytes < file.sizeBytes) {
    stream.destroy();
    throw new ArgusError(
      'FileSizeDiffersAtSource',
      `${file.sourceKey} has ${sizeBytes} bytes, its checkpoint says ${file.sizeBytes}`,
    );
  }
  let put: PutResult;
  let checksum: FileChecksum;
  if (sizeBytes <= BUFFERED_BYTES) {
    const body = new Uint8Array(await buffer(stream));
    checksum = checksumOf(body);
    put = await options.target.put(file.targetKey, body, call);
    passed(body.length);
  } else {
    const hashing = hashingStream(stream, passed);
    put = await options.target.put(file.targetKey, { stream: hashing.stream, sizeBytes }, call);
    checksum = hashing.checksum();
  }
  if (put.kind === 'written') options.known.set(file.targetKey, { sizeBytes, etag: put.etag, checksum });
  return sizeBytes;
}

function replicaFile(file: PlannedFile, known: KnownFiles): ReplicaFile {
  const { etag = '', checksum } = known.get(file.targetKey) ?? {};
  return {
    key: file.targetKey,
    sizeBytes: file.sizeBytes,
    sizeRule: file.sizeRule,
    etag,
    ...(checksum === undefined ? {} : { checksum }),
  };
}
