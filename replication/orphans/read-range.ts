import type { TopicPartition } from '../../domain/offsets.ts';
import { isFiller } from '../../regions/kafka/filler-batch.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { checksumHolds, markerOutcome, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import { decodeRecords } from '../../regions/kafka/record-codec.ts';
import { malformed } from '../../regions/kafka/wire.ts';
import { walkBatches } from '../topics/walk-batches.ts';
import type { OffsetRange, WantedRange } from './divergence.ts';
import type { OrphanRecord, TransactionState } from './orphan-record.ts';

/** Where transactions ended: by the producer's id its markers, in the order of their offsets. */
export type Markers = ReadonlyMap<bigint, readonly { readonly offset: bigint; readonly outcome: 'commit' | 'abort' }[]>;

/** The markers in a stretch of log, which ends where the log ends: later ones there are none. */
async function readMarkers(
  cluster: KafkaCluster,
  tp: TopicPartition,
  range: OffsetRange,
  signal: AbortSignal,
): Promise<Markers> {
  const markers = new Map<bigint, { offset: bigint; outcome: 'commit' | 'abort' }[]>();
  if (range.from >= range.to) return markers;
  for await (const batch of walkBatches(cluster, tp, range, signal)) noteMarker(markers, batch);
  return markers;
}

/** Adds a batch's marker, if it is one. */
export function noteMarker(
  markers: Map<bigint, { offset: bigint; outcome: 'commit' | 'abort' }[]>,
  batch: RecordBatch,
): void {
  const outcome = markerOutcome(batch);
  if (outcome === undefined) return;
  const of = markers.get(batch.producerId) ?? [];
  of.push({ offset: batch.baseOffset, outcome });
  markers.set(batch.producerId, of);
}

/** What became of the transaction that a batch belongs to. Pure. */
export function stateOf(
  batch: Pick<RecordBatch, 'transactional' | 'producerId' | 'lastOffset'>,
  markers: Markers,
): TransactionState {
  if (!batch.transactional) return 'none';
  const end = markers.get(batch.producerId)?.find((m) => m.offset > batch.lastOffset);
  if (end === undefined) return 'open';
  return end.outcome === 'commit' ? 'committed' : 'aborted';
}

/** The log of the old primary, whose end stands still. */
export interface OldLog {
  /**
   * The records of producers in a range, in the order of their offsets: markers and placeholders of a mirror are none.
   * `logEnd` is where the partition's log ends: a transaction without a marker before it is open.
   */
  records(range: WantedRange, logEnd: bigint, signal: AbortSignal): AsyncIterable<OrphanRecord>;
}

/** The real one; the cluster has looked up who leads. Errors: those of `KafkaCluster`, `KafkaMalformed` for a damaged batch. */
export function oldLog(cluster: KafkaCluster): OldLog {
  return {
    async *records(range, logEnd, signal) {
      if (range.from >= range.to) return;
      let markers: Markers | undefined;
      for await (const batch of walkBatches(cluster, range, range, signal)) {
        // Most topics have no transactions: theirs are looked for only behind the first batch of one.
        if (batch.transactional && !batch.control) {
          markers ??= await readMarkers(cluster, range, { from: batch.baseOffset, to: logEnd }, signal);
        }
        yield* recordsIn(batch, range, markers ?? new Map());
      }
    },
  };
}

/** The records of one batch that lie in a range. What can't be read whole must not pass for rescued: `KafkaMalformed`. */
export function* recordsIn(
  batch: RecordBatch,
  range: OffsetRange & Pick<WantedRange, 'reason'>,
  markers: Markers,
): Generator<OrphanRecord> {
  if (batch.control || batch.recordCount === 0 || isFiller(batch)) return;
  if (!checksumHolds(batch.bytes)) throw malformed(`the checksum of the batch at ${batch.baseOffset} does not hold`);
  const transaction = stateOf(batch, markers);
  for (const { offset, timestampMs, body } of decodeRecords(batch)) {
    if (offset < range.from || offset >= range.to) continue;
    yield { offset, timestampMs, reason: range.reason, transaction, body };
  }
}
