import type { CheckpointManifest, ReplicaFile, ResolvedMarkers, SinkEnds } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, offsetToJson } from '../../domain/offsets.ts';
import { hasChangelog } from '../../regions/flink/changelog-state.ts';
import { metadataInvalid } from '../../regions/flink/java-data.ts';
import { dropCommittables } from '../../regions/flink/kafka-state.ts';
import { fileReferences, relocateOperator } from '../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadataPieces } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { CheckpointDirectory } from './catalogue.ts';
import { withSplitsChanged } from './change-sources.ts';
import { type CopyFilesOptions, copyMissing, type KnownFiles, type PlannedFile, Vanished } from './copy-files.ts';
import { type KafkaStates, kafkaStates } from './kafka-states.ts';
import { filesFolder, keyInBucket, pointFolder } from './locations.ts';
import { encodeManifest } from './manifest.ts';
import { markersAsOffsets, markersOf } from './markers.ts';
import { proveFiles } from './prove-files.ts';
import { putPieces } from './put-pieces.ts';
import type { SavepointDirectory } from './told-savepoints.ts';

export interface ReplicateOptions extends CopyFilesOptions {
  readonly job: string;
  readonly checkpoint: CheckpointDirectory | SavepointDirectory;
  /** The wall clock. */
  readonly now: () => number;
  /**
   * Where the job's sinks ended, looked at when the checkpoint is known to be complete; undefined when nobody can tell.
   * Never fails, and the copy goes on meanwhile.
   */
  readonly sinkEnds?: () => Promise<SinkEnds | undefined>;
  /** Offsets for markers of the sources, asked only when there are some; undefined when nobody can tell. Never fails. */
  readonly resolveMarkers?: (states: KafkaStates) => Promise<ResolvedMarkers | undefined>;
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
    const resolved = markersOf(states).length > 0 ? await options.resolveMarkers?.(states) : undefined;
    const change = resolved && markersAsOffsets(resolved);
    const begun = change ? await withSplitsChanged(metadata, directoryUri, read, change) : metadata;
    const copied = await copyMissing(plan, checkpoint.directory, options);
    const relocate = relocateOperator({
      directory: directoryUri,
      move: (uri) => {
        const key = keyInBucket(uri, source.uri);
        return key === undefined ? undefined : `${target.uri}/${filesFolder(job)}${key}`;
      },
    });
    const relocated = writeMetadataPieces(begun, (operator) => relocate(dropCommittables(operator)));
    const folder = pointFolder(job, checkpoint);
    const written = await putPieces(target, `${folder}/_metadata`, relocated, call);
    const sinkEnds = await looking;
    const manifest: CheckpointManifest = {
      version: 1,
      job,
      flinkJobId: checkpoint.flinkJobId,
      checkpointId: checkpoint.checkpointId,
      ...('kind' in checkpoint ? { kind: checkpoint.kind } : {}),
      completedAtMs: original.info.modifiedAtMs,
      committedAtMs: options.now(),
      metadataVersion: metadata.version,
      sourceUri: directoryUri,
      replicaUri: `${target.uri}/${folder}`,
      metadata: { key: `${folder}/_metadata`, ...written },
      files: plan.map((file) => replicaFile(file, options.known)),
      sourceOffsets: [...states.offsets].sort(byPartition).map((o) => offsetToJson(change?.(o) ?? o)),
      droppedTransactions: states.transactions,
      ...(sinkEnds === undefined ? {} : { sinkEnds }),
      ...(resolved === undefined ? {} : { resolvedMarkers: resolved }),
      needsClaim: hasChangelog(metadata) || ('needsClaim' in checkpoint && checkpoint.needsClaim),
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
