import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { checksumHolds, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import { wholeBatch } from './align-plan.ts';
import type { Stop } from './continuity.ts';
import type { PartitionState } from './partition-state.ts';
import { hasInnerHoles } from './split-batch.ts';
import { differenceOfPair } from './verify-batches.ts';

/** Of each side. */
const readAtOnce = 32;

/**
 * Compares the records of both sides' last batches (`partitionKey`) where compaction took some of one side's: their
 * headers say nothing then. Gives a stop for each partition that holds other records. What can't be read is left out:
 * the fetch loop meets it again.
 */
export async function compareTails(
  { source, target }: { readonly source: KafkaCluster; readonly target: KafkaCluster },
  states: readonly PartitionState[],
  atSource: ReadonlyMap<string, RecordBatch | undefined>,
  atStandby: ReadonlyMap<string, RecordBatch>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Stop>> {
  const wanted = states.filter((s) => {
    const [here, there] = [atSource.get(s.key), atStandby.get(s.key)];
    return here && there && (hasInnerHoles(here) || hasInnerHoles(there)) && overlap(here, there);
  });
  const stops = new Map<string, Stop>();
  const compare = async (s: PartitionState) => {
    const read = async (side: KafkaCluster, header: RecordBatch | undefined) => {
      const batch = header && (await wholeBatch(side, s, header.lastOffset, signal).catch(() => undefined));
      return batch && checksumHolds(batch.bytes) ? batch : undefined;
    };
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

function overlap(a: RecordBatch, b: RecordBatch): boolean {
  return a.baseOffset <= b.lastOffset && b.baseOffset <= a.lastOffset && !a.control && !b.control;
}
