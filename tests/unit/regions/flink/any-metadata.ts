import fc from 'fast-check';
import type {
  ChannelHandle,
  KeyedHandle,
  OperatorHandle,
  StreamHandle,
} from '../../../../regions/flink/metadata-handles.ts';
import type { CheckpointMetadata, OperatorState, Subtask } from '../../../../regions/flink/metadata-reader.ts';

const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const size = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
const text = fc.string({ maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 12 });
const tag = <T extends number>(...tags: T[]) => fc.constantFrom(...tags);
const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });

const keyGroups = fc.record({ start: i32, count: i32 });
const keyGroupOffsets = fc.record({ start: i32, count: fc.nat(3) }).chain(({ start, count }) =>
  fc.record({
    start: fc.constant(start),
    count: fc.constant(count),
    offsets: fc.uint8Array({ minLength: count * 8, maxLength: count * 8 }),
  }),
);

const flatStream: fc.Arbitrary<StreamHandle> = fc.oneof(
  fc.constant(null),
  fc.record({ tag: tag(1), name: text, data: bytes }),
  fc.record({ tag: tag(2), path: text, size }),
  fc.record({ tag: tag(6), path: text, size }),
  fc.record({ tag: tag(15), start: size, size, scope: i32, path: text, logicalId: text }),
  fc.record({ tag: tag(16) }),
);
const stream: fc.Arbitrary<StreamHandle> = fc.oneof(
  flatStream,
  fc.record({ tag: tag(3), keyGroups: keyGroupOffsets, stream: flatStream }),
);

const states = few(fc.record({ name: text, mode: fc.nat(2), offsets: few(i64) }));
const operatorHandle: fc.Arbitrary<OperatorHandle> = fc.oneof(
  fc.record({ tag: tag(0) }),
  fc.record({ tag: tag(4), states, stream }),
  fc.record({ tag: tag(17), states, taskOwnedDirectory: text, sharedDirectory: text, empty: fc.boolean(), stream }),
);

const localFiles = few(fc.record({ localPath: text, stream }));
const incremental = {
  checkpointId: i64,
  backendId: text,
  keyGroups,
  meta: stream,
  shared: localFiles,
  private: localFiles,
};
const files = { keyGroups, parts: few(fc.record({ offset: i64, stream })), size: i64 };
const changes = { keyGroups, from: i64, to: i64, changes: few(fc.record({ keyGroup: i32, bytes })) };
const sized = { checkpointedSize: i64, id: text };

/** Version 3 has neither the sizes and ids of the changelog's handles nor the kinds from 11 on. */
const flatKeyed3: fc.Arbitrary<KeyedHandle> = fc.oneof(
  fc.constant(null),
  fc.record({ tag: tag(3, 7), keyGroups: keyGroupOffsets, stream }),
  fc.record({ tag: tag(5), ...incremental }),
  fc.record({ tag: tag(9), ...changes }),
  fc.record({ tag: tag(10), ...files }),
);
const flatKeyed4: fc.Arbitrary<KeyedHandle> = fc.oneof(
  fc.constant(null),
  fc.record({ tag: tag(3, 7), keyGroups: keyGroupOffsets, stream }),
  fc.record({ tag: tag(12), keyGroups: keyGroupOffsets, stream, id: text }),
  fc.record({ tag: tag(5), ...incremental }),
  fc.record({ tag: tag(11), ...incremental, ...sized }),
  fc.record({ tag: tag(9), ...changes, id: text }),
  fc.record({ tag: tag(10), ...files, ...sized }),
  fc.record({ tag: tag(13), ...files, ...sized, storageId: text }),
);

function keyed(version: number): fc.Arbitrary<KeyedHandle> {
  const flat = version >= 4 ? flatKeyed4 : flatKeyed3;
  const changelog = { keyGroups, materialized: few(flat), nonMaterialized: few(flat) };
  if (version < 4) return fc.oneof(flat, fc.record({ tag: tag(8), ...changelog }));
  const full = { ...changelog, ...sized, materializationId: i64 };
  return fc.oneof(flat, fc.record({ tag: tag(8), ...full }), fc.record({ tag: tag(14), ...full, checkpointId: i64 }));
}

function channel<T extends 1 | 2>(one: T): fc.Arbitrary<ChannelHandle> {
  return fc.record({ tag: tag(one), subtask: i32, channel: fc.tuple(i32, i32), offsets: few(i64), size: i64, stream });
}
const merged: fc.Arbitrary<ChannelHandle> = fc.record({
  tag: tag(3, 4),
  subtask: i32,
  size: i64,
  stream,
  serializedOffsets: bytes,
});

function subtask(version: number): fc.Arbitrary<Subtask> {
  const index = fc.nat(2 ** 31 - 1);
  const state = fc.record(
    {
      kind: fc.constant('state' as const),
      index,
      managedOperator: operatorHandle,
      rawOperator: operatorHandle,
      managedKeyed: keyed(version),
      rawKeyed: keyed(version),
      inputChannels: few(version >= 6 ? fc.oneof(channel(1), merged) : channel(1)),
      outputChannels: few(version >= 6 ? fc.oneof(channel(2), merged) : channel(2)),
    },
    { requiredKeys: ['kind', 'index', 'managedKeyed', 'rawKeyed', 'inputChannels', 'outputChannels'] },
  );
  return fc.oneof(fc.record({ kind: fc.constant('finished' as const), index }), state as fc.Arbitrary<Subtask>);
}

function operator(version: number): fc.Arbitrary<OperatorState> {
  return fc.record({
    name: version >= 5 ? text : fc.constant(''),
    uid: version >= 5 ? text : fc.constant(''),
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('hex')),
    parallelism: i32,
    maxParallelism: i32,
    coordinator: stream,
    subtasks: fc.oneof(fc.constant('finished' as const), few(subtask(version))),
  });
}

/** Any metadata that Flink's format can express, of any supported version. */
export const anyMetadata: fc.Arbitrary<CheckpointMetadata> = tag(3, 4, 5, 6).chain((version) =>
  fc.record({
    version: fc.constant(version),
    checkpointId: i64,
    masterStates: few(fc.record({ version: i32, name: text, bytes })),
    operators: few(operator(version)),
    properties: version >= 4 ? bytes : fc.constant(new Uint8Array()),
  }),
);
