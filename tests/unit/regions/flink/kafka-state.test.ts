import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import {
  COMMITTER_STATE,
  decodeCommittables,
  decodeSourceSplits,
  listStates,
  SOURCE_READER_STATE,
  withoutCommittables,
} from '../../../../regions/flink/kafka-state.ts';
import { fileReferences } from '../../../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../../../regions/flink/metadata-writer.ts';
import { flinkSample } from '../../../support/flink-samples.ts';

const full = flinkSample('v6-full');

function bytesOf(metadata: ReturnType<typeof readMetadata>, name: string) {
  return listStates(metadata, name).map((state) => {
    const handle = state.stream;
    if (handle?.tag === 1) return { state, bytes: handle.data };
    if (handle?.tag !== 6) throw new Error(`a handle of kind ${handle?.tag}`);
    const bytes = full.file(`${full.directory}/${handle.path}`);
    if (bytes === undefined) throw new Error(`no file ${handle.path}`);
    return { state, bytes };
  });
}

describe('a busy exactly-once job', () => {
  const metadata = readMetadata(full.bytes);

  test('tells the next offset of each of its source partitions', () => {
    const splits = bytesOf(metadata, SOURCE_READER_STATE).flatMap((s) => decodeSourceSplits(s.bytes, s.state.offsets));
    expect(splits.map((s) => [s.partition, s.offset]).sort()).toEqual([
      [0, 6470n],
      [1, 5650n],
    ]);
    expect(new Set(splits.map((s) => s.topic)).size).toBe(1);
  });

  test('tells the transactions that it has pre-committed, and forgets them on request', () => {
    const pending = bytesOf(metadata, COMMITTER_STATE).flatMap((s) => decodeCommittables(s.bytes, s.state.offsets));
    for (const transaction of pending) {
      expect(transaction.transactionalId).toMatch(/-\d+-\d+$/);
      expect(BigInt(transaction.producerId)).toBeGreaterThanOrEqual(0n);
    }
    const emptied = readMetadata(writeMetadata(withoutCommittables(metadata)));
    expect(listStates(emptied, COMMITTER_STATE)).toEqual([]);
    expect(listStates(emptied, SOURCE_READER_STATE)).toEqual(listStates(metadata, SOURCE_READER_STATE));
    expect(fileReferences(emptied, 's3://b')).toEqual(fileReferences(metadata, 's3://b'));
  });
});

test('an idle job holds a marker in place of an offset', () => {
  const metadata = readMetadata(flinkSample('v6-inline-idle').bytes);
  const splits = bytesOf(metadata, SOURCE_READER_STATE).flatMap((s) => decodeSourceSplits(s.bytes, s.state.offsets));
  expect(splits.length).toBe(2);
  for (const split of splits) expect(typeof split.offset).toBe('bigint');
});

test('a committable written by its format is read back', () => {
  const request = new DataWriter()
    .i32(1)
    .block(new DataWriter().i16(3).i64(4_711n).utf('job-0-7').finish())
    .i32(0)
    .i32(0)
    .finish();
  const subtask = new DataWriter().i32(0).i32(1).block(request).finish();
  const checkpoint = new DataWriter()
    .i64(7n)
    .i32(1)
    .i32(2)
    .i32(1)
    .block(new DataWriter().i32(0).raw(subtask).i64(0n).finish())
    .finish();
  const collector = new DataWriter().u32(0xb91f252c).i32(1).i32(1).block(checkpoint).finish();
  const element = new DataWriter().i32(2).block(collector).finish();
  const stream = new DataWriter()
    .raw(Uint8Array.of(9, 9, 9))
    .block(element)
    .finish();
  expect(decodeCommittables(stream, [3n])).toEqual([
    { transactionalId: 'job-0-7', producerId: '4711', producerEpoch: 3 },
  ]);
});

test('damaged source and sink state throws only its own error', () => {
  const metadata = readMetadata(full.bytes);
  const states = [SOURCE_READER_STATE, COMMITTER_STATE].flatMap((name) => bytesOf(metadata, name));
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.bigInt({ min: -10n, max: 3_000n }),
      ({ state, bytes }, mutations, offset) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of mutations) damaged[at % damaged.length] = value;
        for (const decode of [decodeSourceSplits, decodeCommittables]) {
          for (const offsets of [state.offsets, [offset]]) {
            try {
              decode(damaged, offsets);
            } catch (error) {
              expect(error).toBeInstanceOf(ArgusError);
              expect((error as ArgusError).code).toBe('CheckpointMetadataInvalid');
            }
          }
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
