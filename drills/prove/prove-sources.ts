import type { CheckpointManifest, SourceOffset } from '../../domain/checkpoint.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { byPartition, offsetFromJson, partitionKey } from '../../domain/offsets.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { kafkaStates } from '../../replication/checkpoints/kafka-states.ts';
import { keyInBucket } from '../../replication/checkpoints/locations.ts';
import { pointMetadata } from '../../replication/checkpoints/restore-copy.ts';
import type { DrillCause } from '../drill-report.ts';

/** Whether a point's sources go on where its state ends. */
export interface ProvedSources {
  readonly partitions: number;
  /** The primary's own metadata was there and could be read: offsets were compared with those, too. */
  readonly withPrimary: boolean;
  /** Why they were not. */
  readonly why?: string;
  readonly causes: readonly DrillCause[];
}

/** How long the primary's store may take to give one small file. */
const patienceMs = 5_000;

/**
 * Decodes the source offsets of a point's metadata on the replica and compares them with those of its manifest, with
 * those that Flink wrote on the primary where that checkpoint is still there, and with the points before and after it of
 * the same run. A file of the replica that is gone is `FileMissing`; errors of its store are thrown.
 */
export async function proveSources(
  store: ObjectStore,
  point: CheckpointManifest,
  others: readonly CheckpointManifest[],
  primary: ObjectStore | undefined,
  signal: AbortSignal,
): Promise<ProvedSources> {
  const { job, replicaUri, sourceUri } = point;
  const told = point.sourceOffsets.map(offsetFromJson);
  const bytes = await pointMetadata(store, point, { signal });
  const held = await offsetsOf(store, bytes, replicaUri, signal);
  const causes = [...differing(point, held, told, 'its manifest says')];
  const [before, after] = neighbours(point, others);
  for (const [other, wrong] of [
    [before, (own: bigint, theirs: bigint) => own < theirs],
    [after, (own: bigint, theirs: bigint) => own > theirs],
  ] as const) {
    if (other === undefined) continue;
    const theirs = byKey(other.sourceOffsets.map(offsetFromJson));
    const pairs = [...byKey(held)].flatMap(([key, offsets]) =>
      offsets.map((offset, i) => ({ key, offset, beside: theirs.get(key)?.[i] ?? -1n })),
    );
    const split = pairs.find(({ offset, beside }) => offset >= 0n && beside >= 0n && wrong(offset, beside));
    if (split === undefined) continue;
    const message = `${split.key}: checkpoint ${point.checkpointId} of ${job} goes on at ${split.offset}, checkpoint ${other.checkpointId} at ${split.beside}`;
    causes.push({ job, code: 'SourceOffsetDiffers', message, hint: offsetHint });
  }
  const original = await readOriginal(primary, sourceUri, signal);
  if ('why' in original) return { partitions: held.length, withPrimary: false, why: original.why, causes };
  // A marker on the primary stands for the offset that was written in its place.
  const exact = original.offsets.filter(({ offset }) => offset >= 0n);
  return {
    partitions: held.length,
    withPrimary: true,
    causes: [...differing(point, held, exact, 'on the primary it is'), ...causes],
  };
}

const offsetHint =
  'do not restore from it: records would be left out, or counted twice; replicate the checkpoint again';

function* differing(
  { job, checkpointId }: CheckpointManifest,
  held: readonly SourceOffset[],
  told: readonly SourceOffset[],
  who: string,
): Generator<DrillCause> {
  const there = byKey(held);
  for (const [key, offsets] of byKey([...told].sort(byPartition))) {
    const own = there.get(key) ?? [];
    const i = offsets.findIndex((offset) => !own.includes(offset));
    if (i < 0) continue;
    const at = own.length === 0 ? 'has no offset for it' : `goes on at ${own[i] ?? own[0]}`;
    const message = `${key}: checkpoint ${checkpointId} of ${job} on the replica ${at}, ${who} ${offsets[i]}`;
    yield { job, code: 'SourceOffsetDiffers', message, hint: offsetHint };
  }
}

/** Offsets by partition, in their order: several sources of a job may read the same one. */
function byKey(offsets: readonly SourceOffset[]): ReadonlyMap<string, readonly bigint[]> {
  const lists = new Map<string, bigint[]>();
  for (const each of offsets) {
    const key = partitionKey(each);
    lists.set(key, [...(lists.get(key) ?? []), each.offset]);
  }
  for (const list of lists.values()) list.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return lists;
}

/** The next older and the next newer checkpoint of the same run. */
function neighbours({ flinkJobId, checkpointId }: CheckpointManifest, others: readonly CheckpointManifest[]) {
  const same = others.filter((o) => o.flinkJobId === flinkJobId).sort((a, b) => a.checkpointId - b.checkpointId);
  return [
    same.findLast((o) => o.checkpointId < checkpointId),
    same.find((o) => o.checkpointId > checkpointId),
  ] as const;
}

async function offsetsOf(
  store: ObjectStore,
  metadata: Uint8Array,
  directoryUri: string,
  signal: AbortSignal,
): Promise<readonly SourceOffset[]> {
  const read = async (uri: string) => {
    const key = keyInBucket(uri, store.uri);
    const found = key === undefined ? undefined : await store.get(key, { signal });
    if (found !== undefined) return found.body;
    throw new ArgusError('FileMissing', `${uri} is not in ${store.uri}`);
  };
  return (await kafkaStates(readMetadata(metadata), directoryUri, read)).offsets;
}

async function readOriginal(
  primary: ObjectStore | undefined,
  sourceUri: string,
  signal: AbortSignal,
): Promise<{ readonly offsets: readonly SourceOffset[] } | { readonly why: string }> {
  const folder = primary && keyInBucket(sourceUri, primary.uri);
  if (primary === undefined || folder === undefined) return { why: 'the primary is not asked' };
  const soon = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  try {
    const found = await primary.get(`${folder}/_metadata`, { signal: soon });
    if (found === undefined) return { why: `the primary has removed ${sourceUri} since` };
    return { offsets: await offsetsOf(primary, found.body, sourceUri, soon) };
  } catch (error) {
    signal.throwIfAborted();
    return { why: `the primary's ${sourceUri} could not be read: ${describeError(error)}` };
  }
}
