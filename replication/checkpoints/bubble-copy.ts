import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { StatefulHandle } from '../../regions/flink/change-elements.ts';
import { changeWriters, holdsWriters } from '../../regions/flink/change-writers.ts';
import { foreignSinkStates, operatorName } from '../../regions/flink/foreign-sinks.ts';
import { withoutCommittables } from '../../regions/flink/kafka-state.ts';
import { decodeWriterStates, WRITER_STATE, type WriterState } from '../../regions/flink/kafka-writer-state.ts';
import type { StreamHandle } from '../../regions/flink/metadata-handles.ts';
import {
  type CheckpointMetadata,
  type OperatorState,
  readMetadata,
  type Subtask,
} from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { streamBytes } from './kafka-states.ts';
import { keyInBucket } from './locations.ts';
import { needsClaim, planRestoreCopy, pointMetadata, type RestoreCopy } from './restore-copy.ts';

/** A sink that is moved into the bubble. */
export interface MovedSink {
  readonly operatorId: string;
  readonly operator: string;
  /** The prefix of its transactional ids in production, and the one that its state gets. */
  readonly from: string;
  readonly to: string;
}

/** What a drill's job is restored from: a point whose sinks know nothing of production's transactions. */
export interface BubbleCopy extends RestoreCopy {
  readonly claimMode: 'NO_CLAIM' | 'CLAIM';
  /** Exactly-once sinks of Kafka. */
  readonly sinks: readonly MovedSink[];
}

/** Where the copy is made, and for whom. */
export interface BubblePlace {
  /** In the replica's bucket, without a slash at its end. */
  readonly folder: string;
  /** What the drill's transactional ids begin with. */
  readonly transactionalIdPrefix: string;
  /** The job's other sinks write nothing, by the word of whoever configured it: their states stay as they are. */
  readonly muted: boolean;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * Plans what a drill's job is restored from. Its `_metadata` is the point's, but for the states of Kafka's sinks: each
 * writer gets a prefix of the drill's and has nothing pre-committed, and committers have nothing to commit. Its files are
 * the replica's as they lie (NO_CLAIM), or copies in the bubble where Flink would delete them (changelog state). Reads
 * only. Codes: `SinkNotMovable` (a sink's state that can't be changed so, exit code 3), `MetadataDamaged`, `FileMissing`,
 * `CheckpointOutsideBucket`, `CheckpointMetadataInvalid`.
 */
export async function gatherBubbleCopy(
  store: ObjectStore,
  manifest: CheckpointManifest,
  place: BubblePlace,
  options: CallOptions = {},
): Promise<BubbleCopy> {
  const metadata = readMetadata(await pointMetadata(store, manifest, options));
  const streams = await readStreams(store, writersOf(metadata), manifest.replicaUri, options);
  const claimed = await needsClaim(store, manifest, options);
  return planBubbleCopy(manifest, { metadata, streams }, { ...place, storeUri: store.uri, claimed });
}

/** A point as it was read; `streams`: the bytes of each stream that holds writers' states. */
export interface ReadPoint {
  readonly metadata: CheckpointMetadata;
  readonly streams: ReadonlyMap<StreamHandle, Uint8Array>;
}

/** {@link gatherBubbleCopy} from what was read. Pure. */
export function planBubbleCopy(
  manifest: CheckpointManifest,
  { metadata, streams }: ReadPoint,
  place: BubblePlace & { readonly storeUri: string; readonly claimed: boolean },
): BubbleCopy {
  if (!place.muted) requireKafkaSinks(metadata);
  const sinks = sinksOf(metadata, streams, place);
  const prefixes = new Map(sinks.map(({ from, to }) => [from, to]));
  const change = (state: Subtask): Subtask => {
    const handle = state.kind === 'state' ? state.managedOperator : undefined;
    if (handle === undefined || !holdsWriters(handle)) return state;
    const stream = streams.get(handle.stream);
    if (stream === undefined || !isKafkas(handle, stream)) return state;
    return {
      ...state,
      managedOperator: changeWriters(handle, stream, (prefix) => prefixes.get(prefix) ?? prefix),
    } as Subtask;
  };
  const moved = withoutCommittables({
    ...metadata,
    operators: metadata.operators.map((operator) =>
      operator.subtasks === 'finished' ? operator : { ...operator, subtasks: operator.subtasks.map(change) },
    ),
  });
  const bytes = writeMetadata(moved);
  // It also sees to it that nothing but files of the manifest is needed.
  const copy = planRestoreCopy(manifest, bytes, place);
  if (place.claimed) return { ...copy, claimMode: 'CLAIM', sinks };
  return { ...copy, files: [], metadata: { key: copy.metadata.key, bytes }, claimMode: 'NO_CLAIM', sinks };
}

/** One subtask's writers. */
interface Writers {
  readonly operator: OperatorState;
  readonly stream: StreamHandle;
  readonly offsets: readonly bigint[];
}

function writersOf(metadata: CheckpointMetadata): readonly Writers[] {
  return metadata.operators.flatMap((operator) =>
    (operator.subtasks === 'finished' ? [] : operator.subtasks).flatMap((subtask): Writers[] => {
      const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
      if (handle === undefined || !holdsWriters(handle)) return [];
      return [{ operator, stream: handle.stream, offsets: writerOffsets(handle) }];
    }),
  );
}

const writerOffsets = ({ states }: StatefulHandle) =>
  states.flatMap(({ name, offsets }) => (name === WRITER_STATE ? offsets : []));

const READS_AT_ONCE = 8;

async function readStreams(
  store: ObjectStore,
  writers: readonly Writers[],
  directoryUri: string,
  options: CallOptions,
): Promise<ReadonlyMap<StreamHandle, Uint8Array>> {
  const read = async (uri: string): Promise<Uint8Array> => {
    const key = keyInBucket(uri, store.uri);
    const found = key === undefined ? undefined : await store.get(key, options);
    if (found !== undefined) return found.body;
    throw new ArgusError('FileMissing', `${uri} is not on the replica`);
  };
  const found = await eachAtOnce(writers, READS_AT_ONCE, async ({ stream }) => {
    return [stream, await streamBytes(stream, directoryUri, read)] as const;
  });
  return new Map(found);
}

/** Kafka's exactly-once sinks: a prefix of its own for each that has one in production. */
function sinksOf(
  metadata: CheckpointMetadata,
  streams: ReadonlyMap<StreamHandle, Uint8Array>,
  { transactionalIdPrefix, muted }: BubblePlace,
): readonly MovedSink[] {
  const found = new Map<string, Omit<MovedSink, 'to'>>();
  for (const { operator, stream, offsets } of writersOf(metadata)) {
    const told = tellWriters(streams.get(stream) ?? new Uint8Array(), offsets);
    if (told instanceof ArgusError) {
      if (!muted)
        throw notMovable(
          operatorName(operator),
          `the state of its writers is not Kafka's, as far as that is known (${told.message})`,
        );
      continue;
    }
    for (const { transactionalIdPrefix: from } of told) {
      if (from === '') continue;
      found.set(`${operator.id} ${from}`, { operatorId: operator.id, operator: operatorName(operator), from });
    }
  }
  const prefixes = [...new Set([...found.values()].map(({ from }) => from))].sort();
  const moved = (from: string) =>
    prefixes.length === 1 ? transactionalIdPrefix : `${transactionalIdPrefix}-sink${prefixes.indexOf(from)}`;
  return [...found.values()].map((sink) => ({ ...sink, to: moved(sink.from) }));
}

function isKafkas(handle: StatefulHandle, stream: Uint8Array): boolean {
  return !(tellWriters(stream, writerOffsets(handle)) instanceof ArgusError);
}

/** What the writers say of themselves, or why that can't be read. */
function tellWriters(stream: Uint8Array, offsets: readonly bigint[]): readonly WriterState[] | ArgusError {
  try {
    return decodeWriterStates(stream, offsets);
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'CheckpointMetadataInvalid') return error;
    throw error;
  }
}

function requireKafkaSinks(metadata: CheckpointMetadata): void {
  const [foreign] = foreignSinkStates(metadata);
  if (foreign !== undefined)
    throw notMovable(foreign.operator, `it keeps the state "${foreign.state}", which is no state of Kafka's sink`);
}

function notMovable(operator: string, why: string): ArgusError {
  return new ArgusError('SinkNotMovable', `${operator} can't be moved out of production's way: ${why}`, {
    hint: 'if it writes nothing with the arguments of the drill, say so: `drill: { muted: true }` of the job',
    exitCode: 3,
  });
}
