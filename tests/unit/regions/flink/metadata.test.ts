import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { DataReader, DataWriter } from '../../../../regions/flink/java-data.ts';
import { fileReferences, relocate } from '../../../../regions/flink/metadata-files.ts';
import { type CheckpointMetadata, readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata, writeMetadataPieces } from '../../../../regions/flink/metadata-writer.ts';
import { flinkSample, SAMPLE_BUCKET, sampleNames } from '../../../support/flink-samples.ts';
import { anyMetadata } from './any-metadata.ts';

function move(uri: string): string | undefined {
  const from = `s3://${SAMPLE_BUCKET}/`;
  return uri.startsWith(from) ? `s3://another-bucket/deep/in/it/${uri.slice(from.length)}` : undefined;
}

describe.each(sampleNames)('the sample %s', (name) => {
  const sample = flinkSample(name);
  const directory = `s3://${SAMPLE_BUCKET}/${sample.directory}`;

  test('is written back byte for byte', () => {
    expect(writeMetadata(readMetadata(sample.bytes)).equals(sample.bytes)).toBe(true);
  });

  test('references only files that the bucket holds, in the recorded sizes', () => {
    const present = new Map(sample.listing.map((o) => [o.key, o.sizeBytes]));
    const references = fileReferences(readMetadata(sample.bytes), directory);
    expect(references.length).toBeGreaterThan(0);
    for (const file of references) {
      const key = file.uri.replace(`s3://${SAMPLE_BUCKET}/`, '');
      // Changelog files lie outside the listed folder.
      if (key.startsWith('changelog/')) {
        expect(file.sizeRule).toBe('atLeast');
        continue;
      }
      if (file.sizeRule === 'exact') expect(present.get(key), key).toBe(file.sizeBytes);
      else expect(present.get(key), key).toBeGreaterThanOrEqual(file.sizeBytes);
    }
  });

  test('names nothing but the replica once it is relocated', () => {
    const before = readMetadata(sample.bytes);
    const after = readMetadata(writeMetadata(relocate(before, { directory, move })));
    expect(Buffer.from(writeMetadata(after)).includes(SAMPLE_BUCKET)).toBe(false);
    expect(fileReferences(after, 'nowhere')).toEqual(
      fileReferences(before, directory).map((file) => ({ ...file, uri: move(file.uri) })),
    );
    expect(relocate(after, { directory, move: (uri) => uri })).toEqual(after);
  });

  test('throws only its own error at every truncation before its properties', () => {
    const end = sample.bytes.length - readMetadata(sample.bytes).properties.length;
    for (let length = 0; length < end; length += length < 4_000 ? 1 : 37) {
      expect(outcome(() => readMetadata(sample.bytes.subarray(0, length)))).toBe('CheckpointMetadataInvalid');
    }
  });
});

test('mutated samples throw only their own error, and what is accepted is written back byte for byte', () => {
  const samples = sampleNames.map((name) => flinkSample(name).bytes).filter((bytes) => bytes.length < 10_000);
  const mutation = fc.tuple(fc.nat(10_000), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 6 }), (bytes, mutations) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of mutations) damaged[at % damaged.length] = value;
      const result = outcome(() => {
        const metadata = readMetadata(damaged);
        expect(writeMetadata(metadata).equals(damaged)).toBe(true);
        fileReferences(metadata, 's3://b/chk-1');
        relocate(metadata, { directory: 's3://b/chk-1', move });
      });
      expect(['ok', 'CheckpointMetadataInvalid', 'CheckpointOutsideBucket']).toContain(result);
    }),
    { numRuns: 4_000 },
  );
});

test('random bytes behind a good header throw only their own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 3, max: 6 }), (tail, version) => {
      const bytes = new DataWriter().u32(0x4960672d).i32(version).i64(1n).i32(0).raw(tail).finish();
      expect(['ok', 'CheckpointMetadataInvalid']).toContain(outcome(() => readMetadata(bytes)));
    }),
    { numRuns: 2_000 },
  );
});

test('every kind of handle in every version survives writing and reading', () => {
  fc.assert(
    fc.property(anyMetadata, (metadata: CheckpointMetadata) => {
      expect(readMetadata(writeMetadata(metadata))).toEqual(metadata);
    }),
    { numRuns: 500 },
  );
});

test('a finished first subtask has the index 0', () => {
  const operator = { name: '', uid: '', id: '0'.repeat(32), parallelism: 1, maxParallelism: 1 };
  const metadata: CheckpointMetadata = {
    version: 6,
    checkpointId: 1n,
    masterStates: [],
    operators: [{ ...operator, coordinator: { tag: 16 }, subtasks: [{ kind: 'finished', index: 0 }] }],
    properties: new Uint8Array(0),
  };
  expect(readMetadata(writeMetadata(metadata))).toEqual(metadata);
});

test('written in pieces it is the same file, and large state in it is not copied', () => {
  const state = new Uint8Array(5_000).fill(7);
  fc.assert(
    fc.property(anyMetadata, fc.nat(70_000), (metadata: CheckpointMetadata, length) => {
      const operators = metadata.operators.map((operator) => ({
        ...operator,
        coordinator: {
          tag: 1 as const,
          name: 'x'.repeat(length % 60_000),
          data: length % 2 === 0 ? state : new Uint8Array(3),
        },
      }));
      const full = { ...metadata, operators };
      const pieces = writeMetadataPieces(full);
      expect(Buffer.concat(pieces).equals(writeMetadata(full))).toBe(true);
      expect(readMetadata(Buffer.concat(pieces))).toEqual(full);
      expect(pieces.filter((piece) => piece === state).length).toBe(length % 2 === 0 ? operators.length : 0);
    }),
    { numRuns: 100 },
  );
});

test('any string survives modified UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(new DataReader(new DataWriter().utf(text).finish()).utf()).toBe(text);
    }),
  );
});

test("reads the changelog of version 3 as Flink 1.14 wrote it, without the later versions' sizes and ids", () => {
  const file = new DataWriter()
    .u8(10)
    .i32(0)
    .i32(4)
    .i32(1)
    .i64(77n)
    .u8(2)
    .i64(9n)
    .utf('s3://b/dstl/1')
    .i64(9n)
    .finish();
  const memory = new DataWriter().u8(9).i32(0).i32(4).i64(5n).i64(6n).i32(1).i32(2).i32(1).u8(0xff).finish();
  const backend = new DataWriter().u8(8).i32(0).i32(4).i32(1).u8(0).i32(2).raw(file).raw(memory).finish();
  const subtask = new DataWriter().i32(0).i32(0).i32(0).raw(backend).u8(0).i32(0).i32(0).finish();
  const operator = new DataWriter().raw(new Uint8Array(16)).i32(1).i32(4).u8(0).i32(1).raw(subtask).finish();
  const bytes = new DataWriter().u32(0x4960672d).i32(3).i64(1n).i32(0).i32(1).raw(operator).finish();
  expect(fileReferences(readMetadata(bytes), 's3://b/chk-1')).toEqual([
    { uri: 's3://b/dstl/1', sizeBytes: 9, sizeRule: 'atLeast' },
  ]);
  expect(writeMetadata(readMetadata(bytes)).equals(bytes)).toBe(true);
});

test('an error names the position and says what the operator can do', () => {
  const { bytes } = flinkSample('v6-p2-busy');
  try {
    readMetadata(bytes.subarray(0, 100));
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgusError);
    expect((error as ArgusError).message).toMatch(/at byte \d+/);
    expect((error as ArgusError).hint).toBeDefined();
  }
});

test('an unknown version is refused by its number', () => {
  const bytes = new DataWriter().u32(0x4960672d).i32(7).i64(1n).i32(0).i32(0).finish();
  expect(() => readMetadata(bytes)).toThrow(/version 7/);
});

test('a count that the file could not hold is refused before anything is allocated', () => {
  const bytes = new DataWriter().u32(0x4960672d).i32(6).i64(1n).i32(0).i32(0x7fffffff).raw(new Uint8Array(64)).finish();
  expect(() => readMetadata(bytes)).toThrow(/impossible count/);
});

test('a file outside the replicated bucket refuses the relocation by name', () => {
  const sample = flinkSample('v6-p2-busy');
  const directory = `s3://${SAMPLE_BUCKET}/${sample.directory}`;
  expect(outcome(() => relocate(readMetadata(sample.bytes), { directory, move: () => undefined }))).toBe(
    'CheckpointOutsideBucket',
  );
});

/** `ok` or the code of the ArgusError; anything else fails the test by its own message. */
function outcome(act: () => void): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    if (error instanceof ArgusError) return error.code;
    throw error;
  }
}
