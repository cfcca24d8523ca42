import type { PendingTransaction, SourceOffset } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import { hasChangelog } from '../../regions/flink/changelog-state.ts';
import { withoutCommittables } from '../../regions/flink/kafka-state.ts';
import { fileReferences, relocateOperator, resolve } from '../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { withSplitsChanged } from './change-sources.ts';
import { kafkaStates } from './kafka-states.ts';
import { keyInBucket } from './locations.ts';
import type { CopiedFile } from './restore-copy.ts';

/** What a person wants of a checkpoint that he restores himself. */
export interface RelocationWish {
  /** The target as Flink names it: `s3://bucket/prefix` or `file:///folder`, without a slash at its end. */
  readonly targetUri: string;
  /** Copy the files, too; else the relocated `_metadata` needs them where they lie. */
  readonly copy: boolean;
  /** Leave out the sinks' pending transactions, which another Kafka can't commit. */
  readonly dropTransactions: boolean;
  /** Where sources are to go on instead. */
  readonly offsets: readonly PartitionOffset[];
}

/** A relocated checkpoint that is not written yet; keys count from the target. */
export interface HandRelocation {
  readonly checkpointId: string;
  /** What a job is restored from. */
  readonly uri: string;
  /** `CLAIM`: Flink deletes what it is restored from. */
  readonly claimMode: 'NO_CLAIM' | 'CLAIM';
  readonly metadata: { readonly key: string; readonly bytes: Uint8Array };
  /** What is copied: `from` in the source's store, `to` at the target. */
  readonly files: readonly CopiedFile[];
  /** Files that stay where they are, and are needed there. */
  readonly filesLeft: number;
  readonly bytes: number;
  /** Ordered by topic and partition. */
  readonly sourceOffsets: readonly SourceOffset[];
  /** Pending ones that are still in it, and those that were left out. */
  readonly keptTransactions: readonly PendingTransaction[];
  readonly droppedTransactions: readonly PendingTransaction[];
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * Reads a checkpoint or savepoint in a directory of a store and makes the `_metadata` that is wanted. Writes nothing.
 * `undefined`: there is no `_metadata`. Codes: `CheckpointOutsideBucket`, `FileMissing`, `CopyNeeded` (state that Flink
 * consumes must not be consumed where it lies), `PartitionUnknown`, `CheckpointMetadataInvalid`.
 */
export async function planRelocation(
  source: ObjectStore,
  directory: string,
  wish: RelocationWish,
  options: CallOptions = {},
): Promise<HandRelocation | undefined> {
  const found = await source.get(`${directory}/_metadata`, options);
  if (found === undefined) return undefined;
  const directoryUri = `${source.uri}/${directory}`;
  const read = (uri: string) => readFile(source, uri, options);
  const original = readMetadata(found.body);
  const states = await kafkaStates(original, directoryUri, read);
  const claimed = hasChangelog(original);
  if (claimed && !wish.copy) {
    throw new ArgusError('CopyNeeded', 'it holds changelog state: Flink would delete its files where they lie', {
      hint: 'Copy them as well: --copy.',
      exitCode: 3,
    });
  }
  const kept = wish.dropTransactions ? withoutCommittables(original) : original;
  const metadata = await withOffsets(kept, directoryUri, read, wish.offsets, states.offsets);
  const keyOf = (uri: string): string | undefined => keyInBucket(uri, source.uri);
  const bytes = writeMetadata(
    metadata,
    relocateOperator({
      directory: directoryUri,
      move: (uri) => {
        const key = keyOf(uri);
        if (key === undefined) return undefined;
        return wish.copy ? `${wish.targetUri}/${targetKey(key)}` : uri;
      },
    }),
  );
  // Of what is left: states that were changed lie inside the file now.
  const needed = fileReferences(metadata, directoryUri).flatMap(({ uri, sizeBytes, sizeRule }) => {
    const from = keyOf(uri);
    return from === undefined ? [] : [{ from, to: targetKey(from), sizeBytes, sizeRule }];
  });
  const key = wish.copy ? 'metadata/_metadata' : '_metadata';
  const changed = new Map(wish.offsets.map((offset) => [partitionKey(offset), offset.offset]));
  return {
    checkpointId: original.checkpointId.toString(),
    uri: resolve(wish.targetUri, key).slice(0, -'/_metadata'.length),
    claimMode: claimed ? 'CLAIM' : 'NO_CLAIM',
    metadata: { key, bytes },
    files: wish.copy ? needed : [],
    filesLeft: wish.copy ? 0 : needed.length,
    bytes: needed.reduce((sum, file) => sum + file.sizeBytes, 0),
    sourceOffsets: [...states.offsets]
      .map((each) => ({ ...each, offset: changed.get(partitionKey(each)) ?? each.offset }))
      .sort(byPartition),
    keptTransactions: wish.dropTransactions ? [] : states.transactions,
    droppedTransactions: wish.dropTransactions ? states.transactions : [],
  };
}

/** A file's key at the target: injective, and of characters that keys, paths and URIs write alike. */
export function targetKey(key: string): string {
  const safe = key.replace(
    /[^A-Za-z0-9./-]|(?<=^|\/)\./g,
    (c) => `_${c.codePointAt(0)?.toString(16).padStart(4, '0')}`,
  );
  return `files/${safe}`;
}

async function withOffsets(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
  offsets: readonly PartitionOffset[],
  known: readonly SourceOffset[],
): Promise<CheckpointMetadata> {
  if (offsets.length === 0) return metadata;
  const there = new Set(known.map(partitionKey));
  const unknown = offsets.find((offset) => !there.has(partitionKey(offset)));
  if (unknown !== undefined) {
    throw new ArgusError('PartitionUnknown', `no source of the checkpoint reads ${partitionKey(unknown)}`, {
      hint: `It reads ${[...there].join(', ') || 'nothing of Kafka'}.`,
      exitCode: 2,
    });
  }
  const wanted = new Map(offsets.map((offset) => [partitionKey(offset), offset.offset]));
  return withSplitsChanged(metadata, directoryUri, read, (split) => ({
    topic: split.topic,
    offset: wanted.get(partitionKey(split)) ?? split.offset,
  }));
}

async function readFile(source: ObjectStore, uri: string, options: CallOptions): Promise<Uint8Array> {
  const key = keyInBucket(uri, source.uri);
  const found = key === undefined ? undefined : await source.get(key, options);
  if (found !== undefined) return found.body;
  throw new ArgusError('FileMissing', `${uri}, which the checkpoint needs, can't be read from ${source.uri}`);
}

const COPIES_AT_ONCE = 8;

/**
 * Writes a relocated checkpoint below a key prefix of the target (empty, or with a slash at its end): the files, then
 * `_metadata`. A target that holds anything is `TargetExists`; a file that is gone, or has not the size that the
 * checkpoint says, is `FileMissing` or `FileSizeDiffers`, and `_metadata` is not written.
 */
export async function writeRelocation(
  source: ObjectStore,
  target: { readonly store: ObjectStore; readonly prefix: string; readonly uri: string },
  plan: HandRelocation,
  options: CallOptions & { readonly onProgress?: (files: number) => void } = {},
): Promise<void> {
  const { signal, onProgress } = options;
  const call = signal === undefined ? {} : { signal };
  await requireEmpty(target, call);
  let copied = 0;
  await eachAtOnce(plan.files, COPIES_AT_ONCE, async (file) => {
    const [whole, to] = [`${source.uri}/${file.from}`, target.prefix + file.to];
    if (source === target.store) {
      const found = await source.head(file.from, call);
      requireSize(whole, file, found?.sizeBytes);
      await source.copy(file.from, to, call);
    } else {
      const found = await source.open(file.from, call);
      try {
        requireSize(whole, file, found?.body.sizeBytes);
      } catch (error) {
        found?.body.stream.destroy();
        throw error;
      }
      if (found) await target.store.put(to, found.body, call);
    }
    onProgress?.(++copied);
  });
  const put = await target.store.put(target.prefix + plan.metadata.key, plan.metadata.bytes, {
    ...call,
    ifAbsent: true,
  });
  if (put.kind === 'conflict') throw targetExists(target.uri);
}

function requireSize(uri: string, { sizeBytes, sizeRule }: CopiedFile, found: number | undefined): void {
  if (found === undefined) throw new ArgusError('FileMissing', `${uri} is gone`);
  if (sizeRule === 'exact' ? found === sizeBytes : found >= sizeBytes) return;
  throw new ArgusError('FileSizeDiffers', `${uri} has ${found} bytes, the checkpoint says ${sizeBytes}`);
}

/** A target that holds anything is `TargetExists`: nothing is ever written over. */
export async function requireEmpty(
  target: { readonly store: ObjectStore; readonly prefix: string; readonly uri: string },
  options: CallOptions = {},
): Promise<void> {
  const { objects, prefixes } = await target.store.list(target.prefix, { ...options, delimiter: '/' });
  if (objects.length + prefixes.length > 0) throw targetExists(target.uri);
}

function targetExists(uri: string): ArgusError {
  return new ArgusError('TargetExists', `${uri} is not empty: nothing is written over`, {
    hint: 'Name another --to, or remove what an earlier call left there.',
    exitCode: 3,
  });
}
