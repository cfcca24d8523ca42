/**
 * The first `metadata.version` of each release of Kafka that has one. Source: `MetadataVersion` of kafka-server-common
 * 3.9.2 and 4.3.1, which also names the one that 4.4 is to begin with.
 */
const firstLevels: readonly (readonly [level: number, release: string])[] = [
  [1, '3.0'],
  [2, '3.1'],
  [3, '3.2'],
  [4, '3.3'],
  [8, '3.4'],
  [9, '3.5'],
  [12, '3.6'],
  [15, '3.7'],
  [20, '3.8'],
  [21, '3.9'],
  [22, '4.0'],
  [26, '4.1'],
  [28, '4.2'],
  [30, '4.3'],
];

/** The first level that no release has which is known here. */
const unknownFrom = 31;

/** The release of Kafka that a `metadata.version` came with, such as `4.3`; undefined for one that is not known here. Pure. */
export function releaseOfMetadataVersion(level: number): string | undefined {
  if (level >= unknownFrom) return undefined;
  return firstLevels.findLast(([first]) => level >= first)?.[1];
}
