import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import { decodeRecords, type KafkaRecord } from '../../regions/kafka/record-codec.ts';

/** How two batches compare record by record, over the offsets that both span. */
export interface RecordComparison {
  /** How many both have, and the same. */
  readonly same: number;
  /** The first record that both have and that differs. */
  readonly difference: { readonly offset: bigint; readonly what: string } | undefined;
  /** The first that only one side has. */
  readonly firstOnlySource: bigint | undefined;
  readonly firstOnlyStandby: bigint | undefined;
}

/** Decodes each batch once, however many of the other side it is compared with; the newest only. */
export class RecordCache {
  #batch: RecordBatch | undefined;
  #records: readonly KafkaRecord[] = [];

  /** `KafkaMalformed` as `decodeRecords`. */
  of(batch: RecordBatch): readonly KafkaRecord[] {
    if (this.#batch !== batch) {
      this.#records = decodeRecords(batch);
      this.#batch = batch;
    }
    return this.#records;
  }
}

/**
 * Compares two batches' records from `from` to `to` (exclusive) by offset: timestamp, key, value and headers. How they
 * are laid out in batches is not looked at.
 */
export function compareRecords(
  source: readonly KafkaRecord[],
  standby: readonly KafkaRecord[],
  from: bigint,
  to: bigint,
): RecordComparison {
  const wanted = (r: KafkaRecord) => r.offset >= from && r.offset < to;
  const there = new Map(standby.filter(wanted).map((r) => [r.offset, r]));
  let same = 0;
  let firstOnlySource: bigint | undefined;
  for (const record of source) {
    if (!wanted(record)) continue;
    const other = there.get(record.offset);
    there.delete(record.offset);
    if (!other) {
      firstOnlySource ??= record.offset;
      continue;
    }
    const what = differenceOfRecords(record, other);
    if (what !== undefined) {
      const difference = { offset: record.offset, what };
      return { same, difference, firstOnlySource, firstOnlyStandby: undefined };
    }
    same++;
  }
  const [firstOnlyStandby] = there.keys();
  return { same, difference: undefined, firstOnlySource, firstOnlyStandby };
}

function differenceOfRecords(a: KafkaRecord, b: KafkaRecord): string | undefined {
  if (a.timestampMs !== b.timestampMs) {
    return `timestamp: ${a.timestampMs} at the source, ${b.timestampMs} on the standby`;
  }
  return a.body.equals(b.body) ? undefined : "the record's key, value or headers differ";
}
