import { describe, expect, test } from 'vitest';
import { type RegionVersions, readPlatformVersions, regionVersionsText } from '../../../health/platform-versions.ts';

const kafka = { metadataVersion: 30, supports: 30 };
const flink = [{ version: '2.2.1' }];
const kubernetes = 'v1.36.3';

describe('what a region runs, in one line', () => {
  test.each<[Partial<RegionVersions>, string]>([
    [{}, 'Kafka 4.3 (metadata.version 30) · Flink 2.2.1'],
    [{ kubernetes }, 'Kafka 4.3 (metadata.version 30) · Flink 2.2.1 · Kubernetes v1.36.3'],
    [{ kafka: { metadataVersion: 28, supports: 29 } }, 'Kafka 4.2 (metadata.version 28) · Flink 2.2.1'],
    [{ kafka: { metadataVersion: 21, supports: 30 } }, 'Kafka 4.3, held at metadata.version 21 (3.9) · Flink 2.2.1'],
    [{ kafka: { metadataVersion: 30 } }, 'Kafka 4.3 (metadata.version 30) · Flink 2.2.1'],
    [
      { kafka: { metadataVersion: 30, supports: 44 } },
      'Kafka of a release unknown here, held at metadata.version 30 (4.3) · Flink 2.2.1',
    ],
    [{ kafka: {} }, 'Kafka that tells no metadata.version · Flink 2.2.1'],
    [
      { flink: [{ version: '1.20', declared: true }, ...flink] },
      'Kafka 4.3 (metadata.version 30) · Flink 1.20 (declared), 2.2.1',
    ],
    [{ flink: [] }, 'Kafka 4.3 (metadata.version 30) · Flink that tells no version'],
    [{ kafka: null, flink: null, kubernetes: null }, 'Kafka not seen · Flink not seen · Kubernetes not seen'],
  ])('%j', (over, text) => {
    expect(regionVersionsText({ region: 'mumbai', kafka, flink, ...over })).toBe(text);
  });
});

test('is read back as it was written; what is something else is not there', () => {
  const written: readonly RegionVersions[] = [
    { region: 'mumbai', kafka: null, flink: null, kubernetes: null },
    { region: 'singapore', kafka, flink, kubernetes },
  ];
  expect(readPlatformVersions(JSON.parse(JSON.stringify(written)))).toEqual(written);
  for (const other of [undefined, null, 'Kafka 4.3', [{ region: 'mumbai' }], { mumbai: {} }])
    expect(readPlatformVersions(other)).toBeUndefined();
});
