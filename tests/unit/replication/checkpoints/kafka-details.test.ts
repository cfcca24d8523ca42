import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { DataWriter } from '../../../../regions/flink/java-data.ts';
import { SOURCE_READER_STATE } from '../../../../regions/flink/kafka-state.ts';
import { WRITER_STATE } from '../../../../regions/flink/kafka-writer-state.ts';
import {
  type CheckpointMetadata,
  type OperatorState,
  readMetadata,
} from '../../../../regions/flink/metadata-reader.ts';
import { kafkaDetails } from '../../../../replication/checkpoints/kafka-details.ts';
import { flinkSample, SAMPLE_BUCKET } from '../../../support/flink-samples.ts';

const NO_END = -(2n ** 63n);
const missing = async (uri: string): Promise<Uint8Array> => {
  throw new ArgusError('FileMissing', `${uri} can't be read`);
};

/** One subtask whose only state is of this name, with these elements inside `_metadata`. */
function operator(id: string, name: string, elements: readonly Uint8Array[], coordinator?: Uint8Array): OperatorState {
  let at = 0n;
  const offsets = elements.map((element) => {
    at += BigInt(element.length) + 4n;
    return at - BigInt(element.length) - 4n;
  });
  const stream = new DataWriter();
  for (const element of elements) stream.block(element);
  return {
    name: id,
    uid: '',
    id: id.padEnd(32, '0'),
    parallelism: 1,
    maxParallelism: 128,
    coordinator: coordinator === undefined ? null : { tag: 1, name: 'c', data: coordinator },
    subtasks: [
      {
        kind: 'state',
        index: 0,
        managedOperator: {
          tag: 4,
          states: [{ name, mode: 0, offsets }],
          stream: { tag: 1, name: 's', data: stream.finish() },
        },
        managedKeyed: null,
        rawKeyed: null,
        inputChannels: [],
        outputChannels: [],
      },
    ],
  };
}

function checkpoint(...operators: readonly OperatorState[]): CheckpointMetadata {
  return { version: 6, checkpointId: 1n, masterStates: [], operators, properties: new Uint8Array() };
}

const splitBytes = (partition: number, offset: bigint, end = NO_END) =>
  new DataWriter().utf('t').i32(partition).i64(offset).i64(end).finish();
const readerElement = (partition: number) => new DataWriter().i32(0).block(splitBytes(partition, 5n)).finish();

function enumerator(...splits: readonly { partition: number; offset: bigint; end?: bigint; status: number }[]) {
  const state = new DataWriter().i32(splits.length).i32(0);
  for (const { partition, offset, end, status } of splits) state.block(splitBytes(partition, offset, end)).i32(status);
  return new DataWriter().i32(1).i32(3).block(state.u8(1).finish()).finish();
}

describe('kafkaDetails', () => {
  test('tells what the enumerator and the writers of a busy job know', async () => {
    const sample = flinkSample('v6-full');
    const details = await kafkaDetails(
      readMetadata(sample.bytes),
      `s3://${SAMPLE_BUCKET}/${sample.directory}`,
      async (uri) => {
        const bytes = sample.file(uri.replace(`s3://${SAMPLE_BUCKET}/`, ''));
        return bytes ?? missing(uri);
      },
    );
    expect(details.untold).toEqual([]);
    expect(details.enumerators).toMatchObject([{ version: 3, initialDiscoveryFinished: true, unheld: [] }]);
    expect(details.writers.map(({ subtask, transactionalIdPrefix }) => [subtask, transactionalIdPrefix])).toEqual([
      [0, 'c9'],
      [1, 'c9'],
    ]);
  });

  test('names a partition that was given to a reader and that no reader holds, but not one that has an end', async () => {
    const known = enumerator(
      { partition: 0, offset: -3n, status: 0 },
      { partition: 1, offset: -3n, status: 0 },
      { partition: 2, offset: -2n, status: 1 },
      { partition: 3, offset: -2n, end: 9n, status: 0 },
    );
    const source = operator('a', SOURCE_READER_STATE, [readerElement(0)], known);
    const [found] = (await kafkaDetails(checkpoint(source), 's3://b/chk-1', missing)).enumerators;
    expect(found?.unheld).toEqual([{ topic: 't', partition: 1 }]);
    expect(found?.partitions.filter(({ assigned }) => !assigned)).toEqual([
      { topic: 't', partition: 2, startingOffset: -2n, assigned: false },
    ]);
  });

  test('nothing is missing of a source of which a subtask has ended', async () => {
    const source = operator(
      'a',
      SOURCE_READER_STATE,
      [readerElement(0)],
      enumerator({ partition: 1, offset: 0n, status: 0 }),
    );
    const ended: OperatorState = {
      ...source,
      subtasks: source.subtasks === 'finished' ? 'finished' : [...source.subtasks, { kind: 'finished', index: 1 }],
    };
    expect((await kafkaDetails(checkpoint(ended), 's3://b/chk-1', missing)).enumerators[0]?.unheld).toEqual([]);
  });

  test('tells what is not Kafka’s, or of an unknown version, and goes on', async () => {
    const unknown = new DataWriter().i32(1).i32(9).block(new Uint8Array(3)).finish();
    const source = operator('a', SOURCE_READER_STATE, [readerElement(0)], unknown);
    const files = operator('b', WRITER_STATE, [new DataWriter().i32(2).block(new Uint8Array(40)).finish()]);
    const kafka = operator('c', WRITER_STATE, [
      new DataWriter().i32(1).block(new DataWriter().utf('prefix').finish()).finish(),
    ]);
    const { enumerators, writers, untold } = await kafkaDetails(
      checkpoint(source, files, kafka),
      's3://b/chk-1',
      missing,
    );
    expect(enumerators).toEqual([]);
    expect(untold).toMatchObject([
      { operatorId: source.id, state: 'enumerator', message: expect.stringMatching(/version 9 is not known/) },
      { operatorId: files.id, state: 'writers' },
    ]);
    expect(writers).toEqual([{ operatorId: kafka.id, subtask: 0, version: 1, transactionalIdPrefix: 'prefix' }]);
  });

  test('looks at no coordinator of an operator without splits, and reads no large file', async () => {
    const other = operator('a', 'something', [], new Uint8Array(7));
    const large = operator('b', WRITER_STATE, [new Uint8Array(1)]);
    const [subtask] = large.subtasks === 'finished' ? [] : large.subtasks;
    if (subtask?.kind !== 'state' || subtask.managedOperator?.tag !== 4) throw new Error('no state');
    const huge: OperatorState = {
      ...large,
      subtasks: [
        {
          ...subtask,
          managedOperator: { ...subtask.managedOperator, stream: { tag: 2, path: 's3://b/x', size: 1n << 40n } },
        },
      ],
    };
    const read = async (): Promise<never> => expect.unreachable();
    const details = await kafkaDetails(checkpoint(other, huge), 's3://b/chk-1', read);
    expect(details).toMatchObject({
      enumerators: [],
      writers: [],
      untold: [{ message: expect.stringContaining('too many') }],
    });
  });
});
