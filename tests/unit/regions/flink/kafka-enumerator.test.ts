import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { byPartition } from '../../../../domain/offsets.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import { decodeEnumerator, type EnumeratorState } from '../../../../regions/flink/kafka-enumerator.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { flinkSample, sampleNames } from '../../../support/flink-samples.ts';

const NO_END = -(2n ** 63n);

function enumeratorBytes(name: string): Uint8Array {
  const handles = readMetadata(flinkSample(name).bytes).operators.flatMap(({ coordinator }) => coordinator ?? []);
  const [handle] = handles;
  if (handles.length !== 1 || handle?.tag !== 1) throw new Error(`${name} has no single coordinator state inside`);
  return handle.data;
}

function encode(state: EnumeratorState): Buffer {
  const out = new DataWriter().i32(state.partitions.length);
  if (state.version === 3) out.i32(0);
  for (const { topic, partition, assigned, startingOffset = 0n, stoppingOffset = NO_END } of state.partitions) {
    const named = new DataWriter().utf(topic).i32(partition);
    if (state.version === 3) out.block(named.i64(startingOffset).i64(stoppingOffset).finish());
    else out.raw(named.finish());
    if (state.version > 1) out.i32(assigned ? 0 : 1);
  }
  if (state.version > 1) out.u8(state.initialDiscoveryFinished ? 1 : 0);
  return new DataWriter().i32(1).i32(state.version).block(out.finish()).finish();
}

describe.each(sampleNames)('the sample %s', (name) => {
  const bytes = enumeratorBytes(name);
  const state = decodeEnumerator(bytes);

  test('knows all partitions of its topic as given to readers', () => {
    const { partitions: length } = flinkSample(name);
    const all = Array.from({ length }, (_, partition) => ({ partition, assigned: true }));
    expect([...state.partitions].sort(byPartition)).toMatchObject(all);
    expect(state.initialDiscoveryFinished).toBe(true);
  });

  test('keeps where its readers began, not where they are, with the connector 5.0 and nothing with 3.4', () => {
    expect(state.version).toBe(name.startsWith('v4-') ? 2 : 3);
    for (const partition of state.partitions) {
      expect(partition.startingOffset).toBe(state.version === 3 ? -3n : undefined);
      expect(partition).not.toHaveProperty('stoppingOffset');
    }
  });

  test('is known to the last byte', () => {
    expect(encode(state).equals(bytes)).toBe(true);
  });
});

const i64 = fc.bigInt({ min: NO_END + 1n, max: 2n ** 63n - 1n });
const anyPartition = (version: 1 | 2 | 3) =>
  fc.record(
    {
      topic: fc.string({ maxLength: 30 }),
      partition: fc.nat(100_000),
      assigned: version === 1 ? fc.constant(true) : fc.boolean(),
      ...(version === 3 ? { startingOffset: i64, stoppingOffset: i64 } : {}),
    },
    {
      requiredKeys:
        version === 3 ? ['topic', 'partition', 'assigned', 'startingOffset'] : ['topic', 'partition', 'assigned'],
    },
  );
const anyState: fc.Arbitrary<EnumeratorState> = fc.constantFrom(1 as const, 2 as const, 3 as const).chain((version) =>
  fc.record({
    version: fc.constant(version),
    partitions: fc.array(anyPartition(version), { maxLength: 8 }),
    initialDiscoveryFinished: version === 1 ? fc.constant(true) : fc.boolean(),
  }),
);

test('every version is read as it is written', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      expect(decodeEnumerator(encode(state))).toEqual(state);
    }),
  );
});

test.each([
  ['version 0 of the coordinator', new DataWriter().i32(0).i32(2).block(new Uint8Array(5)), /version 0 is not known/],
  ['version 4 of the connector', new DataWriter().i32(1).i32(4).block(new Uint8Array(5)), /version 4 is not known/],
  [
    'splits of version 1',
    new DataWriter().i32(1).i32(3).block(new DataWriter().i32(0).i32(1).u8(1).finish()),
    /splits of version 1 are not known/,
  ],
  [
    'a status of 2',
    new DataWriter().i32(1).i32(2).block(new DataWriter().i32(1).utf('t').i32(0).i32(2).u8(1).finish()),
    /status of 2/,
  ],
  [
    'more partitions than the state could hold',
    new DataWriter().i32(1).i32(2).block(new DataWriter().i32(0x7fffffff).finish()),
    /impossible count/,
  ],
])('%s is refused by name', (_, bytes, message) => {
  expect(() => decodeEnumerator(bytes.finish())).toThrow(message);
});

test('damaged states throw only the codec’s own error', () => {
  const samples = sampleNames.map(enumeratorBytes);
  const mutation = fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 5 }), (bytes, mutations) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of mutations) damaged[at % damaged.length] = value;
      try {
        decodeEnumerator(damaged);
      } catch (error) {
        expect((error as ArgusError).code).toBe('CheckpointMetadataInvalid');
        expect(error).toBeInstanceOf(ArgusError);
      }
    }),
    { numRuns: 2_000 },
  );
});
