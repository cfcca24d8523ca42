/** What the source's topic holds. */
export interface Shape {
  readonly id: string;
  readonly compression: 'none' | 'lz4' | 'zstd';
  /** The producer's `batch.size`. */
  readonly batchBytes: number;
  readonly recordBytes: number;
  readonly records: number;
  readonly partitions: number;
  /** Written in transactions, a new one at each of these moments; not at all when not given. */
  readonly transactions?: { readonly everyMs: number; readonly recordsPerSecond: number };
}

const kib = 1024;

/** The shapes that are copied in pairs with MirrorMaker 2. */
export const shapes: readonly Shape[] = [
  { id: 'none-16k', compression: 'none', batchBytes: 16 * kib, recordBytes: kib, records: 1_500_000, partitions: 4 },
  { id: 'none-256k', compression: 'none', batchBytes: 256 * kib, recordBytes: kib, records: 1_500_000, partitions: 4 },
  { id: 'lz4-64k', compression: 'lz4', batchBytes: 64 * kib, recordBytes: kib, records: 1_500_000, partitions: 4 },
  { id: 'zstd-64k', compression: 'zstd', batchBytes: 64 * kib, recordBytes: kib, records: 1_500_000, partitions: 4 },
  { id: 'small-16k', compression: 'none', batchBytes: 16 * kib, recordBytes: 100, records: 5_000_000, partitions: 4 },
];

/** Transactions of about 100 records. */
export const transactionalShape: Shape = {
  id: 'transactions',
  compression: 'none',
  batchBytes: 16 * kib,
  recordBytes: kib,
  records: 200_000,
  partitions: 4,
  transactions: { everyMs: 10, recordsPerSecond: 10_000 },
};

/** One partition, behind a distance of 80 ms. */
export const farShape: Shape = {
  id: 'distance',
  compression: 'none',
  batchBytes: 64 * kib,
  recordBytes: kib,
  records: 400_000,
  partitions: 1,
};

/** The same with a tenth of the records. */
export function quickShape(shape: Shape): Shape {
  return { ...shape, records: shape.records / 10 };
}
