import { createHash } from 'node:crypto';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import {
  byPartition,
  offsetFromJson,
  type PartitionOffset,
  partitionKey,
  type TopicPartition,
} from '../../domain/offsets.ts';
import { renameTopics } from '../../regions/flink/change-splits.ts';
import { decodeEnumerator } from '../../regions/flink/kafka-enumerator.ts';
import { listStates, SOURCE_READER_STATE } from '../../regions/flink/kafka-state.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Translation, TranslationRefusal } from '../mirrormaker/offset-map.ts';
import { withSplitsChanged } from './change-sources.ts';
import { streamBytes } from './kafka-states.ts';
import { keyInBucket, translationFolder } from './locations.ts';
import { needsClaim, pointMetadata } from './restore-copy.ts';

/** How the primary's topics and offsets are told on a standby whose copy has others. */
export interface OffsetTranslator {
  /** The mirrored topics, as the primary calls them. */
  readonly topics: readonly string[];
  standbyTopic(topic: string): string;
  /** Errors of the standby's Kafka are thrown. */
  translate(partition: TopicPartition, offset: bigint): Promise<Translation>;
}

/** Where a partition of the primary goes on, on the standby. */
export interface TranslatedSplit extends PartitionOffset {
  readonly standby: Pick<PartitionOffset, 'topic' | 'offset'>;
}

export type TranslationReasonCode =
  | TranslationRefusal
  | 'NoSourceOffsets'
  | 'SourceOffsetUnknown'
  | 'TopicNotMirrored'
  /** Flink deletes what it restores: the replica itself would go. */
  | 'ChangelogNeedsClaim'
  /** The source ends at an offset of the primary. */
  | 'BoundedSource'
  /** A source knows the partition, and would begin it at an offset of the primary. */
  | 'PartitionNotAssigned';

/** Why a point can't be told on the standby. */
export interface TranslationReason {
  readonly code: TranslationReasonCode;
  readonly message: string;
}

/** A point of the replica with the standby's topics and offsets; not written yet. */
export interface TranslatedPoint {
  /** What a job is restored from (NO_CLAIM). */
  readonly uri: string;
  readonly metadata: { readonly key: string; readonly bytes: Uint8Array; readonly sha256: string };
  /** Ordered by topic and partition. */
  readonly splits: readonly TranslatedSplit[];
}

export type PointTranslation =
  | { readonly kind: 'exact'; readonly point: TranslatedPoint }
  | { readonly kind: 'refused'; readonly reasons: readonly TranslationReason[] };

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** So many offsets are translated at once: each looks at both clusters by itself. */
const TRANSLATIONS_AT_ONCE = 4;

/**
 * A point with each source offset, and each topic's name, as the standby has them: every one exactly, or none. Writes
 * nothing. A `_metadata` that is gone or not what was written is `MetadataDamaged`.
 */
export async function translatePoint(
  objects: ObjectStore,
  manifest: CheckpointManifest,
  translator: OffsetTranslator,
  call: CallOptions = {},
): Promise<PointTranslation> {
  if (await needsClaim(objects, manifest, call)) {
    const message = 'it holds changelog state, which Flink deletes after it restored it (CLAIM)';
    return { kind: 'refused', reasons: [{ code: 'ChangelogNeedsClaim', message }] };
  }
  const told = await translateOffsets(manifest, translator);
  if (told.reasons.length > 0) return { kind: 'refused', reasons: told.reasons };
  const metadata = readMetadata(await pointMetadata(objects, manifest, call));
  try {
    const bytes = writeMetadata(await rewritten(objects, manifest, metadata, told.splits, translator, call));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const folder = translationFolder(manifest.job, manifest, sha256);
    const point = { uri: `${objects.uri}/${folder}`, metadata: { key: `${folder}/_metadata`, bytes, sha256 } };
    return { kind: 'exact', point: { ...point, splits: told.splits } };
  } catch (error) {
    if (!(error instanceof NotTranslated)) throw error;
    return { kind: 'refused', reasons: [error.reason] };
  }
}

/** A state that holds what can't be translated. */
class NotTranslated extends Error {
  readonly reason: TranslationReason;
  constructor(code: TranslationReasonCode, message: string) {
    super(message);
    this.reason = { code, message };
  }
}

async function translateOffsets(
  { sourceOffsets }: CheckpointManifest,
  translator: OffsetTranslator,
): Promise<{ readonly splits: readonly TranslatedSplit[]; readonly reasons: readonly TranslationReason[] }> {
  if (sourceOffsets.length === 0) {
    return {
      splits: [],
      reasons: [{ code: 'NoSourceOffsets', message: 'the checkpoint holds no Kafka source offsets' }],
    };
  }
  const ordered = sourceOffsets.map(offsetFromJson).sort(byPartition);
  const answers = await eachAtOnce(ordered, TRANSLATIONS_AT_ONCE, async (split) => {
    const key = partitionKey(split);
    if (!translator.topics.includes(split.topic)) {
      return reason('TopicNotMirrored', `the job reads topic ${split.topic}, which is not mirrored`);
    }
    if (split.offset < 0n) {
      return reason(
        'SourceOffsetUnknown',
        `${key}: the checkpoint holds the marker ${split.offset} in place of an offset`,
      );
    }
    const answer = await translator.translate({ topic: split.topic, partition: split.partition }, split.offset);
    if (answer.kind === 'refused') return reason(answer.code, `${key} at ${split.offset}: ${answer.why}`);
    return { ...split, standby: { topic: translator.standbyTopic(split.topic), offset: answer.offset } };
  });
  return {
    splits: answers.flatMap((a) => ('standby' in a ? [a] : [])),
    reasons: answers.flatMap((a) => ('code' in a ? [a] : [])),
  };
}

const reason = (code: TranslationReasonCode, message: string): TranslationReason => ({ code, message });

async function rewritten(
  objects: ObjectStore,
  manifest: CheckpointManifest,
  metadata: CheckpointMetadata,
  splits: readonly TranslatedSplit[],
  { standbyTopic }: OffsetTranslator,
  call: CallOptions,
): Promise<CheckpointMetadata> {
  const read = async (uri: string): Promise<Uint8Array> => {
    const key = keyInBucket(uri, objects.uri);
    const found = key === undefined ? undefined : await objects.get(key, call);
    if (found === undefined) throw new ArgusError('FileMissing', `${uri} is not on the replica`);
    return found.body;
  };
  const by = new Map(splits.map((split) => [partitionKey(split), split]));
  const changed = await withSplitsChanged(metadata, manifest.replicaUri, read, (split) => {
    const key = partitionKey(split);
    if (split.bounded) throw new NotTranslated('BoundedSource', `${key}: the source ends at an offset of the primary`);
    const found = by.get(key);
    if (found?.offset !== split.offset)
      throw new ArgusError('MetadataDamaged', `${key} goes on at ${split.offset}, the manifest says ${found?.offset}`);
    return found.standby;
  });
  const sources = new Set(listStates(metadata, SOURCE_READER_STATE).map((state) => state.operatorId));
  const operators: CheckpointMetadata['operators'][number][] = [];
  for (const operator of changed.operators) {
    const { coordinator } = operator;
    if (coordinator === null) {
      operators.push(operator);
      continue;
    }
    const bytes = await streamBytes(coordinator, manifest.replicaUri, read);
    // Of a source none of whose readers has a partition nobody knows whether it is Kafka's, unless it can be read.
    if (!sources.has(operator.id) && !isKafkas(bytes)) operators.push(operator);
    else {
      const data = renameTopics(bytes, standbyTopic, refuse);
      operators.push({ ...operator, coordinator: { tag: 1, name: `${operator.id}-coordinator`, data } });
    }
  }
  return { ...changed, operators };
}

function refuse(partition: TopicPartition): never {
  const message = `${partitionKey(partition)}: the source knows it and no reader had it at the checkpoint`;
  throw new NotTranslated('PartitionNotAssigned', message);
}

function isKafkas(coordinator: Uint8Array): boolean {
  try {
    decodeEnumerator(coordinator);
    return true;
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'CheckpointMetadataInvalid') return false;
    throw error;
  }
}

/** What a written translation says of itself: `translation.json`, beside its `_metadata`, and written after it. */
export function describeTranslation(
  manifest: CheckpointManifest,
  { metadata, splits }: TranslatedPoint,
  of: { readonly from: string; readonly to: string; readonly atMs: number },
) {
  return {
    version: 1,
    job: manifest.job,
    flinkJobId: manifest.flinkJobId,
    checkpointId: manifest.checkpointId,
    ...of,
    metadata: { key: metadata.key, sizeBytes: metadata.bytes.length, sha256: metadata.sha256 },
    splits: splits.map(({ topic, partition, offset, standby }) => ({
      topic,
      partition,
      offset: offset.toString(),
      standby: { topic: standby.topic, offset: standby.offset.toString() },
    })),
  };
}

/**
 * Writes a translated point and what it says of itself, and reads it back. Idempotent: the folder is named by the
 * content, and what is there already stays. `false`: it was there.
 */
export async function writeTranslatedPoint(
  objects: ObjectStore,
  { metadata }: TranslatedPoint,
  description: ReturnType<typeof describeTranslation>,
  call: CallOptions = {},
): Promise<boolean> {
  const about = `${metadata.key.slice(0, -'_metadata'.length)}translation.json`;
  const json = new TextEncoder().encode(`${JSON.stringify(description, null, 1)}\n`);
  await objects.put(metadata.key, metadata.bytes, { ...call, ifAbsent: true });
  const there = await objects.get(metadata.key, call);
  if (there === undefined || createHash('sha256').update(there.body).digest('hex') !== metadata.sha256) {
    throw new ArgusError('MetadataDamaged', `${metadata.key} is not what was written`, {
      hint: 'delete it, and translate again',
    });
  }
  return (await objects.put(about, json, { ...call, ifAbsent: true })).kind === 'written';
}
