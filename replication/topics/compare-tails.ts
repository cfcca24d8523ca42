import type { TopicPartition } from '../../domain/offsets.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { checksumHolds, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import { decodeRecords, type KafkaRecord } from '../../regions/kafka/record-codec.ts';
import { wholeBatch } from './align-plan.ts';
import type { Stop } from './continuity.ts';
import type { PartitionState } from './partition-state.ts';
import { hasInnerHoles } from './split-batch.ts';
import type { TailMarker } from './tail-markers.ts';
import { differenceOfPair } from './verify-batches.ts';

/** Of each side. */
const readAtOnce = 32;

/**
 * Looks at the records where the standby's logs end (`partitionKey`), if compaction took some of one side's: the
 * batches' headers say nothing then. Gives a stop for each partition whose last batch holds other records, or which
 * ends in markers of which one stands where the source has a record: the standby's coordinator ended a transaction on
 * its own. What can't be read is left out: the fetch loop meets it again.
 */
export async function compareTails(
  { source, target }: { readonly source: KafkaCluster; readonly target: KafkaCluster },
  states: readonly PartitionState[],
  atSource: ReadonlyMap<string, RecordBatch | undefined>,
  atStandby: ReadonlyMap<string, RecordBatch>,
  markers: ReadonlyMap<string, readonly TailMarker[]>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Stop>> {
  const wanted = states.filter((s) => {
    const [here, there] = [atSource.get(s.key), atStandby.get(s.key)];
    return here && there && (hasInnerHoles(here) || hasInnerHoles(there)) && overlap(here, there);
  });
  const stops = new Map<string, Stop>();
  const readAt = async (side: KafkaCluster, tp: TopicPartition, offset: bigint) => {
    const batch = await wholeBatch(side, tp, offset, signal).catch(() => undefined);
    return batch && checksumHolds(batch.bytes) ? batch : undefined;
  };
  for (const s of states) {
    for (const { standby, source: header } of markers.get(s.key) ?? []) {
      const offset = standby.baseOffset;
      if (!header || header.control || header.baseOffset > offset || !hasInnerHoles(header)) continue;
      const batch = await readAt(source, s, offset);
      if (!batch || recordsOf(batch)?.every((r) => r.offset !== offset)) continue;
      const detail = `at ${offset} the standby holds a marker of its producer ${standby.producerId}, where the source has a record: its coordinator ended a transaction on its own`;
      stops.set(s.key, { reason: 'ForeignMarker', detail });
    }
  }
  const compare = async (s: PartitionState) => {
    const read = (side: KafkaCluster, header: RecordBatch | undefined) => header && readAt(side, s, header.lastOffset);
    const [here, there] = await Promise.all([read(source, atSource.get(s.key)), read(target, atStandby.get(s.key))]);
    const difference = here && there && differenceOfPair(here, there, true);
    if (!difference) return;
    const detail = `the standby's log ends in other records than the source has there: at ${difference.offset}, ${difference.what}`;
    stops.set(s.key, { reason: 'Diverged', detail });
  };
  for (let at = 0; at < wanted.length; at += readAtOnce) {
    await Promise.all(wanted.slice(at, at + readAtOnce).map(compare));
  }
  return stops;
}

/** Undefined when they can't be decoded: then nothing says that an offset is free. */
function recordsOf(batch: RecordBatch): readonly KafkaRecord[] | undefined {
  try {
    return decodeRecords(batch);
  } catch {
    return undefined;
  }
}

function overlap(a: RecordBatch, b: RecordBatch): boolean {
  return a.baseOffset <= b.lastOffset && b.baseOffset <= a.lastOffset && !a.control && !b.control;
}
