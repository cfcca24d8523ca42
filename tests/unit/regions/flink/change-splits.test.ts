import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceOffset } from '../../../../domain/checkpoint.ts';
import { changeSplits, holdsSplits, renameTopics } from '../../../../regions/flink/change-splits.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import { decodeEnumerator } from '../../../../regions/flink/kafka-enumerator.ts';
import { decodeSourceSplits, SOURCE_READER_STATE } from '../../../../regions/flink/kafka-state.ts';
import type { OperatorHandle } from '../../../../regions/flink/metadata-handles.ts';
import { readMetadata } from '../../../../regions/flink/metadata-reader.ts';
import { flinkSample, sampleNames } from '../../../support/flink-samples.ts';

type Stateful = Exclude<OperatorHandle, { tag: 0 }>;
const NO_END = -(2n ** 63n);

/** The readers' handles of a sample whose streams it has. */
function readers(name: string): readonly { readonly handle: Stateful; readonly bytes: Uint8Array }[] {
  const sample = flinkSample(name);
  return readMetadata(sample.bytes).operators.flatMap(({ subtasks }) =>
    (subtasks === 'finished' ? [] : subtasks).flatMap((subtask) => {
      const handle = subtask.kind === 'state' ? subtask.managedOperator : undefined;
      if (handle === undefined || !holdsSplits(handle)) return [];
      const { stream } = handle;
      const bytes =
        stream?.tag === 1
          ? stream.data
          : stream?.tag === 6
            ? sample.file(`${sample.directory}/${stream.path}`)
            : undefined;
      return bytes === undefined ? [] : [{ handle, bytes }];
    }),
  );
}

const offsetsIn = (handle: Stateful) => handle.states.find((s) => s.name === SOURCE_READER_STATE)?.offsets ?? [];
const dataOf = ({ stream }: Stateful) => (stream?.tag === 1 ? stream.data : new Uint8Array());

describe.each(['v6-full', 'v6-inline-idle'])('the readers of %s', (name) => {
  test('hold other topics and offsets, and everything else as it was', () => {
    const found = readers(name);
    expect(found.length).toBeGreaterThan(0);
    for (const { handle, bytes } of found) {
      const before = decodeSourceSplits(bytes, offsetsIn(handle));
      const changed = changeSplits(handle, bytes, (split) => {
        expect(split.bounded).toBe(false);
        return { topic: `mumbai.${split.topic}`, offset: split.offset + 5n };
      });
      const expected = before.map((s) => ({ ...s, topic: `mumbai.${s.topic}`, offset: s.offset + 5n }));
      expect(decodeSourceSplits(dataOf(changed), offsetsIn(changed))).toEqual(expected);
      expect(Buffer.from(dataOf(changed).subarray(0, bytes.length)).equals(bytes)).toBe(true);
      expect(changed.states.filter((s) => s.name !== SOURCE_READER_STATE)).toEqual(
        handle.states.filter((s) => s.name !== SOURCE_READER_STATE),
      );
    }
  });
});

test.each(sampleNames)('the enumerator of %s is the same but for its topics', (name) => {
  for (const { coordinator } of readMetadata(flinkSample(name).bytes).operators) {
    if (coordinator?.tag !== 1) continue;
    const bytes = coordinator.data;
    const refuse = () => expect.unreachable('every partition is given to a reader');
    expect(Buffer.from(renameTopics(bytes, (t) => t, refuse)).equals(bytes)).toBe(true);
    const renamed = renameTopics(bytes, (t) => `mumbai.${t}`, refuse);
    const { partitions, ...rest } = decodeEnumerator(bytes);
    expect(decodeEnumerator(renamed)).toEqual({
      ...rest,
      partitions: partitions.map((p) => ({ ...p, topic: `mumbai.${p.topic}` })),
    });
    expect(Buffer.from(renameTopics(renamed, (t) => t.slice(7), refuse)).equals(bytes)).toBe(true);
  }
});

test('tells of the partitions that no reader has yet', () => {
  const split = (topic: string) => new DataWriter().utf(topic).i32(3).i64(-3n).i64(NO_END).finish();
  const state = new DataWriter().i32(2).i32(0).block(split('a')).i32(0).block(split('b')).i32(1).u8(1).finish();
  const bytes = new DataWriter().i32(1).i32(3).block(state).finish();
  const told: string[] = [];
  renameTopics(
    bytes,
    (t) => t,
    ({ topic }) => told.push(topic),
  );
  expect(told).toEqual(['b']);
});

test('states of merged files become ordinary ones: Flink takes the others only with a part of such a file', () => {
  const [{ handle, bytes } = { handle: undefined, bytes: new Uint8Array() }] = readers('v6-full');
  if (handle === undefined) throw new Error('the sample has no reader');
  const { states } = handle;
  const folders = { taskOwnedDirectory: 's3://b/taskowned', sharedDirectory: 's3://b/shared', empty: false };
  const segment = { tag: 15, start: 0n, size: 1n, scope: 1, path: 's3://b/merged', logicalId: 'x' } as const;
  const change = ({ topic, offset }: SourceOffset) => ({ topic, offset: offset + 1n });
  const changed = changeSplits({ tag: 17, states, stream: segment, ...folders }, bytes, change);
  expect(changed).toEqual({
    ...changeSplits({ tag: 4, states, stream: null }, bytes, change),
    stream: { tag: 1, name: 's3://b/merged#changed', data: dataOf(changed) },
  });
  expect(Object.keys(changed).sort()).toEqual(['states', 'stream', 'tag']);
});

const anySplit = fc.record({
  topic: fc.string({ maxLength: 40 }),
  partition: fc.nat(100_000),
  offset: fc.bigInt(NO_END, 2n ** 63n - 1n),
  stopping: fc.constantFrom(NO_END, 7n, -1n),
});

test('any splits among other states, of any length, come back changed and in their order', () => {
  fc.assert(
    fc.property(
      fc.array(anySplit, { minLength: 1, maxLength: 6 }),
      fc.uint8Array({ maxLength: 50 }),
      fc.array(fc.tuple(fc.string({ maxLength: 60 }), fc.bigInt(0n, 2n ** 62n)), { minLength: 6, maxLength: 6 }),
      (splits, other, changes) => {
        const out = new DataWriter().raw(other);
        let at = other.length;
        const offsets = splits.map(({ topic, partition, offset, stopping }) => {
          const inner = new DataWriter().utf(topic).i32(partition).i64(offset).i64(stopping).finish();
          const element = new DataWriter().block(new DataWriter().i32(0).block(inner).finish()).finish();
          out.raw(element);
          at += element.length;
          return BigInt(at - element.length);
        });
        const states = [
          { name: 'other', mode: 1, offsets: [0n] },
          { name: SOURCE_READER_STATE, mode: 0, offsets },
        ];
        const stream = { tag: 2, path: 's3://b/x', size: BigInt(at) } as const;
        let n = 0;
        const seen: boolean[] = [];
        const changed = changeSplits({ tag: 4, states, stream }, out.finish(), (split) => {
          seen.push(split.bounded);
          const [topic, offset] = changes[n++]!;
          return { topic, offset };
        });
        const expected = splits.map(({ partition }, i): SourceOffset => {
          const [topic, offset] = changes[i]!;
          return { topic, partition, offset };
        });
        expect(decodeSourceSplits(dataOf(changed), offsetsIn(changed))).toEqual(expected);
        expect(seen).toEqual(splits.map((s) => s.stopping !== NO_END));
        expect(changed.states[0]).toEqual(states[0]);
      },
    ),
    { numRuns: 200 },
  );
});
