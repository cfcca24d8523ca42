import { expect, test } from 'vitest';
import { releaseOfMetadataVersion } from '../../../../regions/kafka/metadata-version.ts';

test.each([
  [1, '3.0'],
  [7, '3.3'],
  [8, '3.4'],
  [14, '3.6'],
  [19, '3.7'],
  [21, '3.9'],
  [25, '4.0'],
  [27, '4.1'],
  [29, '4.2'],
  [30, '4.3'],
  [31, undefined],
  [0, undefined],
])('metadata.version %i came with Kafka %s', (level, release) => {
  expect(releaseOfMetadataVersion(level)).toBe(release);
});
