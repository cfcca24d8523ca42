import { markerOutcome, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import { decodeRecords } from '../../regions/kafka/record-codec.ts';
import { append, type CollectedRecords, type KeyTable, noRecords } from './collected-records.ts';
import { digestOf } from './record-digest.ts';

/** A transaction as one partition's log shows it. */
export interface ReadTransaction {
  /** Of its first record here. */
  readonly firstOffset: bigint;
  readonly outcome: 'commit' | 'abort' | 'open';
  /** Undefined while it is open. */
  readonly markerOffset: bigint | undefined;
  /** None of an aborted one. */
  readonly records: CollectedRecords;
}

/** What was read of one partition. */
export interface ReadPartition {
  /** In the order of their first records. */
  readonly transactions: readonly ReadTransaction[];
  /** Records outside transactions, from where it was read on. */
  readonly plain: CollectedRecords;
}

/** Collects a partition's records from its batches, in their order. Pure. Errors: `KafkaMalformed`. */
export function foldOutput(
  partition: number,
  { keys, ignore }: { readonly keys: KeyTable; readonly ignore: readonly string[] },
): { add(batch: RecordBatch): void; readonly size: number; result(): ReadPartition } {
  const open = new Map<bigint, { firstOffset: bigint; records: CollectedRecords }>();
  const ended: ReadTransaction[] = [];
  const plain = noRecords(partition);
  let size = 0;
  const collect = (batch: RecordBatch): CollectedRecords => {
    const list = noRecords(partition);
    for (const { offset, body } of decodeRecords(batch)) {
      const { key, content } = digestOf(body, ignore);
      list.keys.push(keys(key));
      list.contents.push(content);
      list.offsets.push(Number(offset));
    }
    size += list.keys.length;
    return list;
  };
  return {
    get size() {
      return size;
    },
    add(batch) {
      const { producerId, baseOffset } = batch;
      if (batch.control) {
        const outcome = markerOutcome(batch);
        const begun = open.get(producerId);
        if (begun === undefined || outcome === undefined) return;
        open.delete(producerId);
        const records = outcome === 'commit' ? begun.records : noRecords(partition);
        ended.push({ firstOffset: begun.firstOffset, outcome, markerOffset: baseOffset, records });
      } else if (!batch.transactional) append(plain, collect(batch));
      else {
        const begun = open.get(producerId) ?? { firstOffset: baseOffset, records: noRecords(partition) };
        append(begun.records, collect(batch));
        open.set(producerId, begun);
      }
    },
    result() {
      const still = [...open.values()].map((t) => ({ ...t, outcome: 'open' as const, markerOffset: undefined }));
      const transactions = [...ended, ...still].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
      return { transactions, plain };
    },
  };
}
