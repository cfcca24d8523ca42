import type { CheckpointManifest, PendingTransaction } from '../../domain/checkpoint.ts';
import { ArgusError } from '../../domain/errors.ts';
import { byPartition, offsetToJson } from '../../domain/offsets.ts';
import { fileReferences } from '../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { type StateKind, stateSizes } from '../../regions/flink/state-sizes.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type KafkaDetails, kafkaDetails, type UntoldState } from './kafka-details.ts';
import { kafkaStates } from './kafka-states.ts';
import { keyInBucket } from './locations.ts';
import { decodeManifest } from './manifest.ts';

/** A checkpoint or savepoint as its files tell of it. Sizes are decimal strings where they may be large. */
export interface CheckpointView {
  /** The directory that holds the `_metadata`. */
  readonly uri: string;
  /** `null` where the file doesn't tell (version 3). */
  readonly kind: 'checkpoint' | 'savepoint' | null;
  readonly checkpointId: string;
  /** `null` where neither a manifest nor the directory's name tells it. */
  readonly flinkJobId: string | null;
  /** When Flink had written it, by the store's clock. */
  readonly completedAtMs: number;
  readonly metadataVersion: number;
  readonly metadataBytes: number;
  /** Names of the states of the JobManager's hooks. */
  readonly masterStates: readonly string[];
  readonly operators: readonly OperatorView[];
  /** Each file once. */
  readonly files: readonly { readonly uri: string; readonly sizeBytes: number; readonly atLeast: boolean }[];
  readonly sourceOffsets: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[];
  readonly sinkTransactions: readonly PendingTransaction[];
  /** The transactions were left out of this copy's `_metadata` when it was made; its manifest remembers them. */
  readonly transactionsDropped: boolean;
  /** Why offsets and transactions can't be told, where that is so. */
  readonly untold: string | null;
  /** What the enumerators of Kafka sources know. */
  readonly enumerators: readonly EnumeratorView[];
  /** What the writers of Kafka sinks keep, of each subtask. */
  readonly sinkWriters: readonly WriterView[];
  /** States of sources and sinks that are not Kafka's, or not known. */
  readonly untoldStates: readonly UntoldState[];
}

export interface EnumeratorView {
  readonly operatorId: string;
  /** Of the state's form: 1 to 3. */
  readonly version: number;
  readonly initialDiscoveryFinished: boolean;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** `false`: found, and not given to a reader yet. */
    readonly assigned: boolean;
    /** Where a reader begins or began, negative for a marker; `null` where the form doesn't tell (before version 3). */
    readonly startingOffset: string | null;
    /** Where a bounded source ends, exclusive. */
    readonly stoppingOffset: string | null;
  }[];
  /** Given to a reader, and held by none. */
  readonly unheld: readonly { readonly topic: string; readonly partition: number }[];
}

export interface WriterView {
  readonly operatorId: string;
  readonly subtask: number;
  /** Of the state's form: 1 or 2. */
  readonly version: number;
  readonly transactionalIdPrefix: string;
  /** `null` in version 1. */
  readonly owned: {
    readonly subtask: number;
    readonly subtasks: number;
    readonly ownership: 'by-subtask' | 'by-state';
    readonly precommitted: readonly { readonly transactionalId: string; readonly checkpointId: string }[];
  } | null;
}

export interface OperatorView {
  readonly id: string;
  /** `null` where the job gave none, and before version 5. */
  readonly name: string | null;
  readonly uid: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Subtasks that had ended when it was taken. */
  readonly finishedSubtasks: number;
  readonly state: readonly { readonly kind: StateKind; readonly bytes: string; readonly inlineBytes: string }[];
}

/**
 * Reads what lies in a directory of a store. `undefined` when there is no `_metadata`: no checkpoint, or one that is not
 * complete. A `_metadata` that can't be read is `CheckpointMetadataInvalid`; a state of Kafka's that can't is told in `untold`.
 */
export async function showCheckpoint(
  store: ObjectStore,
  directory: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CheckpointView | undefined> {
  const found = await store.get(`${directory}/_metadata`, options);
  if (found === undefined) return undefined;
  const uri = `${store.uri}/${directory}`;
  const metadata = readMetadata(found.body);
  const manifest = await manifestBeside(store, directory, options);
  const read = readerOf(store, options);
  const states = manifest === undefined ? await readStates(metadata, uri, read) : undefined;
  return {
    uri,
    kind: kindOf(metadata),
    checkpointId: metadata.checkpointId.toString(),
    flinkJobId: manifest?.flinkJobId ?? /(?:^|\/)([0-9a-f]{32})\/chk-\d+$/.exec(directory)?.[1] ?? null,
    completedAtMs: manifest?.completedAtMs ?? found.info.modifiedAtMs,
    metadataVersion: metadata.version,
    metadataBytes: found.body.length,
    masterStates: metadata.masterStates.map((state) => state.name),
    operators: metadata.operators.map((operator) => ({
      id: operator.id,
      name: operator.name || null,
      uid: operator.uid || null,
      parallelism: operator.parallelism,
      maxParallelism: operator.maxParallelism,
      finishedSubtasks:
        operator.subtasks === 'finished'
          ? operator.parallelism
          : operator.subtasks.filter((subtask) => subtask.kind === 'finished').length,
      state: [...stateSizes(operator)].map(([kind, { bytes, inlineBytes }]) => ({
        kind,
        bytes: bytes.toString(),
        inlineBytes: inlineBytes.toString(),
      })),
    })),
    files: fileReferences(metadata, uri).map((file) => ({
      uri: file.uri,
      sizeBytes: file.sizeBytes,
      atLeast: file.sizeRule === 'atLeast',
    })),
    sourceOffsets: manifest?.sourceOffsets ?? states?.sourceOffsets ?? [],
    sinkTransactions: manifest?.droppedTransactions ?? states?.sinkTransactions ?? [],
    transactionsDropped: (manifest?.droppedTransactions.length ?? 0) > 0,
    untold: states?.untold ?? null,
    ...detailViews(await kafkaDetails(metadata, uri, read)),
  };
}

async function manifestBeside(
  store: ObjectStore,
  directory: string,
  call: { readonly signal?: AbortSignal },
): Promise<CheckpointManifest | undefined> {
  const found = await store.get(`${directory}/manifest.json`, call);
  const manifest = found && decodeManifest(found.body);
  return manifest === undefined || 'problem' in manifest ? undefined : manifest;
}

/** Gives whole files of the store by their URI; `FileMissing` for those that aren't there. */
function readerOf(store: ObjectStore, call: { readonly signal?: AbortSignal }): (uri: string) => Promise<Uint8Array> {
  return async (uri) => {
    const key = keyInBucket(uri, store.uri);
    const found = key === undefined ? undefined : await store.get(key, call);
    if (found === undefined) throw new ArgusError('FileMissing', `${uri} can't be read from ${store.uri}`);
    return found.body;
  };
}

async function readStates(
  metadata: CheckpointMetadata,
  directoryUri: string,
  read: (uri: string) => Promise<Uint8Array>,
): Promise<Pick<CheckpointView, 'sourceOffsets' | 'sinkTransactions' | 'untold'>> {
  try {
    const { offsets, transactions } = await kafkaStates(metadata, directoryUri, read);
    const sourceOffsets = [...offsets].sort(byPartition).map(offsetToJson);
    return { sourceOffsets, sinkTransactions: transactions, untold: null };
  } catch (error) {
    const telling = ['FileMissing', 'CheckpointMetadataInvalid'];
    if (!(error instanceof ArgusError) || !telling.includes(error.code)) throw error;
    return { sourceOffsets: [], sinkTransactions: [], untold: error.message };
  }
}

function detailViews({
  enumerators,
  writers,
  untold,
}: KafkaDetails): Pick<CheckpointView, 'enumerators' | 'sinkWriters' | 'untoldStates'> {
  return {
    enumerators: enumerators.map(({ partitions, ...enumerator }) => ({
      ...enumerator,
      partitions: [...partitions].sort(byPartition).map(({ startingOffset, stoppingOffset, ...known }) => ({
        ...known,
        startingOffset: startingOffset?.toString() ?? null,
        stoppingOffset: stoppingOffset?.toString() ?? null,
      })),
    })),
    sinkWriters: writers.map(({ owned, ...writer }) => ({
      ...writer,
      owned:
        owned === undefined
          ? null
          : {
              ...owned,
              precommitted: owned.precommitted.map((t) => ({ ...t, checkpointId: t.checkpointId.toString() })),
            },
    })),
    untoldStates: untold,
  };
}

/** By the class that the properties name. Source: org.apache.flink.runtime.checkpoint.CheckpointProperties, Flink 2.2. */
function kindOf(metadata: CheckpointMetadata): CheckpointView['kind'] {
  const properties = Buffer.from(metadata.properties).toString('latin1');
  if (properties.includes('org.apache.flink.runtime.checkpoint.SavepointType')) return 'savepoint';
  return properties.includes('org.apache.flink.runtime.checkpoint.CheckpointType') ? 'checkpoint' : null;
}
