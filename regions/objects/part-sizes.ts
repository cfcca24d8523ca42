/** Source: Amazon S3 multipart upload limits; R2 wants all parts equal but the last. */
const MOST_PARTS = 10_000;
const LEAST_PART_BYTES = 5 << 20;
const DEFAULT_PART_BYTES = 16 << 20;
const MIB = 1 << 20;
/** What all parts under way may hold together: a larger part is sent only where S3 leaves no choice. */
export const BUFFERED_BYTES = 128 << 20;

/**
 * The size of the parts: what is wanted, within what S3 allows, and within the memory for them (an object above 1.2 TiB
 * needs larger ones). Pure.
 */
export function partSize(sizeBytes: number, wanted: number = DEFAULT_PART_BYTES): number {
  const least = Math.ceil(sizeBytes / MOST_PARTS / MIB) * MIB;
  return Math.max(wanted > BUFFERED_BYTES ? DEFAULT_PART_BYTES : wanted, least, LEAST_PART_BYTES);
}

/** Part sizes that clients are known to use, in MiB: S3A's 64, the SDKs' 5, 8 and 16, and multiples. */
const KNOWN_MIB = [5, 8, 16, 32, 64, 10, 15, 20, 25, 50, 100, 128, 256, 512];

/**
 * The size of the parts in which an object was probably sent, by the number of them that its ETag ends in, so that its
 * copy may get the same ETag; `undefined` for one that was sent in one piece. Pure.
 */
export function partSizeBehind(sizeBytes: number, etag: string): number | undefined {
  const parts = Number(/-(\d+)$/.exec(etag)?.[1] ?? 0);
  if (parts < 2) return undefined;
  const fits = (bytes: number) => Math.ceil(sizeBytes / bytes) === parts;
  const known = KNOWN_MIB.find((mib) => fits(mib * MIB));
  const guess = (known ?? Math.ceil(sizeBytes / parts / MIB)) * MIB;
  return fits(guess) && guess >= LEAST_PART_BYTES ? guess : undefined;
}
