import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import { listStates } from '../../../../regions/flink/kafka-state.ts';
import {
  decodeWriterStates,
  encodeWriterState,
  WRITER_STATE,
  type WriterState,
} from '../../../../regions/flink/kafka-writer-state.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { flinkSample } from '../../../support/flink-samples.ts';

/** The writer states of a sample that keeps them in `_metadata` itself, by subtask. */
function ofSample(name: string) {
  return listStates(readMetadata(flinkSample(name).bytes), WRITER_STATE).map(({ stream, offsets, subtask }) => {
    if (stream?.tag !== 1) throw new Error(`${name} keeps its writers' state in a file`);
    return { subtask, bytes: stream.data, offsets };
  });
}

test('a busy sink’s writers own an id each and tell which transaction they have pre-committed', () => {
  const states = ofSample('v6-full');
  expect(states.map(({ bytes, offsets, subtask }) => [subtask, decodeWriterStates(bytes, offsets)])).toEqual(
    [0, 1].map((subtask) => [
      subtask,
      [
        {
          version: 2,
          transactionalIdPrefix: 'c9',
          owned: {
            subtask,
            subtasks: 2,
            ownership: 'by-subtask',
            precommitted: [{ transactionalId: `c9-${subtask}-4`, checkpointId: 4n }],
          },
        },
      ],
    ]),
  );
});

test('an idle sink’s writers tell their prefix and no transaction', () => {
  const states = ofSample('v6-inline-idle').flatMap(({ bytes, offsets }) => decodeWriterStates(bytes, offsets));
  expect(states).toMatchObject([{ transactionalIdPrefix: 'count-job', owned: { precommitted: [] } }]);
});

test.each(['v6-full', 'v6-inline-idle'])('the elements of %s are known to the last byte', (name) => {
  for (const { bytes, offsets } of ofSample(name)) {
    const [state] = decodeWriterStates(bytes, offsets);
    if (state === undefined) throw new Error('no state');
    expect(Buffer.from(encodeWriterState(state)).equals(bytes.subarray(Number(offsets[0])))).toBe(true);
  }
});

const anyState: fc.Arbitrary<WriterState> = fc.oneof(
  fc.record({ version: fc.constant(1 as const), transactionalIdPrefix: fc.string({ maxLength: 40 }) }),
  fc.record({
    version: fc.constant(2 as const),
    transactionalIdPrefix: fc.string({ maxLength: 40 }),
    owned: fc.record({
      subtask: fc.integer({ min: -1, max: 1_000 }),
      subtasks: fc.integer({ min: -1, max: 1_000 }),
      ownership: fc.constantFrom('by-subtask' as const, 'by-state' as const),
      precommitted: fc.array(
        fc.record({
          transactionalId: fc.string({ maxLength: 40 }),
          checkpointId: fc.bigInt({ min: 0n, max: 1n << 62n }),
        }),
        { maxLength: 4 },
      ),
    }),
  }),
);

test('both versions are read as they are written, several elements behind one another', () => {
  fc.assert(
    fc.property(fc.array(anyState, { maxLength: 4 }), (states) => {
      const elements = states.map(encodeWriterState);
      let at = 0n;
      const offsets = elements.map((element) => {
        at += BigInt(element.length);
        return at - BigInt(element.length);
      });
      expect(decodeWriterStates(Buffer.concat(elements), offsets)).toEqual(states);
    }),
  );
});

test.each([
  ['an unknown version', new DataWriter().i32(3).block(new Uint8Array(2)), /version 3 is not known/],
  ['the state of another sink', new DataWriter().i32(1).block(new Uint8Array(9)), /bytes too many/],
  [
    'an unknown ownership',
    new DataWriter().i32(2).block(new DataWriter().utf('p').i32(0).i32(1).i32(2).i32(0).finish()),
    /ownership of 2/,
  ],
])('%s is refused by name', (_, bytes, message) => {
  expect(() => decodeWriterStates(new DataWriter().block(bytes.finish()).finish(), [0n])).toThrow(message);
});

test('damaged states throw only the codec’s own error', () => {
  const states = ofSample('v6-full');
  const mutation = fc.tuple(fc.nat(60), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      fc.array(mutation, { minLength: 1, maxLength: 5 }),
      ({ bytes, offsets }, mutations) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of mutations) damaged[damaged.length - 1 - at] = value;
        try {
          decodeWriterStates(damaged, offsets);
        } catch (error) {
          expect((error as ArgusError).code).toBe('CheckpointMetadataInvalid');
          expect(error).toBeInstanceOf(ArgusError);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
