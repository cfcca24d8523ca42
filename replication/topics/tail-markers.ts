import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { markerOutcome, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import type { Stop } from './continuity.ts';
import { lastBatches } from './last-batches.ts';
import type { PartitionState } from './partition-state.ts';

/** More markers in a row than any that a crash leaves; what is before them was compared by earlier sessions. */
const longestRun = 64;

/** A marker of the standby, and what the source has at or behind its offset; undefined: nothing that can be seen. */
export interface TailMarker {
  readonly standby: RecordBatch;
  readonly source: RecordBatch | undefined;
}

/**
 * The markers in which the standby's logs end, newest first, by `partitionKey`. A standby's coordinator that died before
 * it had noted a transaction as complete writes its marker again when it is back: this is where such a one stands.
 */
export async function tailMarkers(
  { source, target }: { readonly source: KafkaCluster; readonly target: KafkaCluster },
  states: readonly PartitionState[],
  newest: ReadonlyMap<string, RecordBatch>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly TailMarker[]>> {
  const found = new Map<string, TailMarker[]>();
  let standby = newest;
  let walking = states.filter((s) => standby.get(s.key)?.control);
  for (let round = 0; walking.length > 0 && round < longestRun; round++) {
    const ends = new Map(walking.map((s) => [s.key, (standby.get(s.key)?.baseOffset ?? 0n) + 1n]));
    const there = await lastBatches(source, walking, ends, signal);
    for (const { key } of walking) {
      const batch = standby.get(key);
      const run = found.get(key) ?? [];
      if (batch) found.set(key, [...run, { standby: batch, source: there.get(key) }]);
    }
    const before = new Map([...ends].map(([key, end]) => [key, end - 1n]));
    standby = await lastBatches(target, walking, before, signal);
    walking = walking.filter((s) => standby.get(s.key)?.control);
  }
  return found;
}

/**
 * Whether the markers in which the standby's log ends are those of the source. `open`: the source's producers whose
 * transactions stand open on the standby, with their first offset. One of these whose marker the source has within the
 * run was not ended: a foreign marker took its place. Pure.
 */
export function decideTailMarkers(run: readonly TailMarker[], open: ReadonlyMap<bigint, bigint>): Stop | undefined {
  for (const { standby, source } of run) {
    const offset = standby.baseOffset;
    // Nothing of the source is there: a hole, which markers fill, or retention took it.
    if (!source || source.baseOffset > offset || hasHoles(source)) continue;
    const outcome = source.control ? markerOutcome(source) : undefined;
    const begun = open.get(source.producerId);
    const other = outcome === undefined || outcome !== markerOutcome(standby);
    if (!other && (begun === undefined || begun >= offset)) continue;
    const what = outcome ? `the ${outcome} of producer ${source.producerId}` : 'records';
    return {
      reason: 'ForeignMarker',
      detail: `at ${offset} the standby holds a marker of its producer ${standby.producerId}, where the source has ${what}: after a crash the standby's coordinator wrote one again, or it ended a transaction on its own`,
    };
  }
  return undefined;
}

function hasHoles({ recordCount, baseOffset, lastOffset }: RecordBatch): boolean {
  return BigInt(recordCount) !== lastOffset - baseOffset + 1n;
}
