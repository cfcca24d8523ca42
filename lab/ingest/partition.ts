/**
 * The partition of a key: FNV-1a (32 bit) of its UTF-8 bytes, modulo the count. The same everywhere, so a key stays in
 * its partition when the traffic moves to the other region.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % partitions;
}
