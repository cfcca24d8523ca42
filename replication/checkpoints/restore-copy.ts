import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { hasChangelog } from '../../regions/flink/changelog-state.ts';
import { fileReferences, relocateOperator } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectInfo, ObjectStore } from '../../regions/objects/object-store.ts';
import { filesFolder, keyInBucket } from './locations.ts';

/** A copy of a replicated checkpoint, in the same bucket, that the job which is restored from it may consume. */
export interface RestoreCopy {
  /** What the job is restored from. */
  readonly uri: string;
  readonly files: readonly CopiedFile[];
  /** The relocated `_metadata`, which needs no file but those of the copy. */
  readonly metadata: { readonly key: string; readonly bytes: Uint8Array };
}

/** One file of a copy. */
export interface CopiedFile {
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number;
  readonly sizeRule: 'exact' | 'atLeast';
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The copy of a point in a folder (without a slash at its end), from the point's own relocated `_metadata`. Pure. The
 * files lie apart from `_metadata`, in whose folder there is nothing else. A file that the manifest does not name is
 * `CheckpointOutsideBucket`.
 */
export function planRestoreCopy(
  manifest: CheckpointManifest,
  pointMetadata: Uint8Array,
  at: { readonly storeUri: string; readonly folder: string },
): RestoreCopy {
  const root = filesFolder(manifest.job);
  const target = (key: string) => `${at.folder}/files/${key.startsWith(root) ? key.slice(root.length) : key}`;
  const original = readMetadata(pointMetadata);
  const named = new Set(manifest.files.map((file) => `${at.storeUri}/${file.key}`));
  const stranger = fileReferences(original, manifest.replicaUri).find((file) => !named.has(file.uri));
  if (stranger !== undefined) {
    throw new ArgusError(
      'CheckpointOutsideBucket',
      `the checkpoint references ${stranger.uri}, which is no file of it`,
    );
  }
  const relocated = relocateOperator({
    directory: manifest.replicaUri,
    move: (uri) => {
      const key = keyInBucket(uri, at.storeUri);
      return key === undefined ? undefined : `${at.storeUri}/${target(key)}`;
    },
  });
  const bytes = writeMetadata(original, relocated);
  return {
    uri: `${at.storeUri}/${at.folder}/metadata`,
    files: manifest.files.map(({ key, sizeBytes, sizeRule }) => ({
      from: key,
      to: target(key),
      sizeBytes,
      sizeRule,
    })),
    metadata: { key: `${at.folder}/metadata/_metadata`, bytes },
  };
}

/** Reads what a copy is planned by. A `_metadata` that is gone or not what was written is `MetadataDamaged`. */
export async function gatherRestoreCopy(
  store: ObjectStore,
  manifest: CheckpointManifest,
  folder: string,
  options: CallOptions = {},
): Promise<RestoreCopy> {
  const metadata = await pointMetadata(store, manifest, options);
  return planRestoreCopy(manifest, metadata, { storeUri: store.uri, folder });
}

/** Whether a point can only be restored with CLAIM; of an old manifest, which doesn't say, its `_metadata` is read. */
export async function needsClaim(
  store: ObjectStore,
  manifest: CheckpointManifest,
  options: CallOptions = {},
): Promise<boolean> {
  return manifest.needsClaim ?? hasChangelog(readMetadata(await pointMetadata(store, manifest, options)));
}

/** A point's relocated `_metadata`. One that is gone or not what was written is `MetadataDamaged`. */
export async function pointMetadata(
  store: ObjectStore,
  { metadata }: CheckpointManifest,
  options: CallOptions,
): Promise<Uint8Array> {
  const found = await store.get(metadata.key, options);
  if (found && createHash('sha256').update(found.body).digest('hex') === metadata.sha256) return found.body;
  throw new ArgusError(
    'MetadataDamaged',
    `${metadata.key} is ${found === undefined ? 'gone from the replica' : 'not what was written'}`,
    { hint: '`argus checkpoints verify` tells what else differs; an older checkpoint may be whole.' },
  );
}

/** What of a copy is not there as it should be. */
export interface LackingCopy {
  readonly files: readonly CopiedFile[];
  readonly bytes: number;
  readonly metadata: boolean;
}

/** Looks at a copy: one listing, and its `_metadata` byte for byte. `undefined`: it is complete. */
export async function lackingOf(
  store: ObjectStore,
  copy: RestoreCopy,
  options: CallOptions = {},
): Promise<LackingCopy | undefined> {
  const folder = copy.metadata.key.slice(0, -'metadata/_metadata'.length);
  const listed = await store.list(folder, options);
  const objects = new Map(listed.objects.map((object) => [object.key, object]));
  const files = copy.files.filter((file) => !isWhole(file, objects.get(file.to)));
  const there = objects.has(copy.metadata.key) ? await store.get(copy.metadata.key, options) : undefined;
  const metadata = there === undefined || Buffer.compare(there.body, copy.metadata.bytes) !== 0;
  if (files.length === 0 && !metadata) return undefined;
  return { files, bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0), metadata };
}

function isWhole(file: CopiedFile, found: Pick<ObjectInfo, 'sizeBytes'> | undefined): boolean {
  if (found === undefined) return false;
  return file.sizeRule === 'exact' ? found.sizeBytes === file.sizeBytes : found.sizeBytes >= file.sizeBytes;
}

const COPIES_AT_ONCE = 8;

/**
 * Makes what a copy lacks: its files, by the store itself, then `_metadata`, so that it is never there without them.
 * `check` is asked before each effect. A file that is gone from the replica is `FileMissing`.
 */
export async function makeCopy(
  store: ObjectStore,
  copy: RestoreCopy,
  lacking: LackingCopy,
  options: CallOptions & {
    readonly check?: () => void;
    readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
  } = {},
): Promise<void> {
  const { signal, check, onProgress } = options;
  const call = signal === undefined ? {} : { signal };
  const done = { files: 0, bytes: 0 };
  await eachAtOnce(lacking.files, COPIES_AT_ONCE, async (file) => {
    check?.();
    if ((await store.copy(file.from, file.to, call)) === undefined) {
      throw new ArgusError('FileMissing', `${file.from} is not on the replica`);
    }
    done.files++;
    done.bytes += file.sizeBytes;
    onProgress?.(done);
  });
  if (!lacking.metadata) return;
  check?.();
  await store.put(copy.metadata.key, copy.metadata.bytes, call);
}

/** How fast a store is taken to copy inside itself: nobody measured it, and each request takes its time. */
const COPY_BYTES_PER_SECOND = 100_000_000;
const COPY_REQUEST_MS = 50;

/** About how long a copy takes: a guess, to be called so. Pure. */
export function estimateCopyMs(size: { readonly files: number; readonly bytes: number }): number {
  return Math.round(
    (size.bytes / COPY_BYTES_PER_SECOND) * 1_000 + (Math.ceil(size.files / COPIES_AT_ONCE) + 1) * COPY_REQUEST_MS,
  );
}
