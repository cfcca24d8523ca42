import { expect, test } from 'vitest';
import type { ListState } from '../../../../regions/flink/kafka-state.ts';
import type { StreamHandle } from '../../../../regions/flink/metadata-handles.ts';
import { decodeStates } from '../../../../replication/checkpoints/kafka-states.ts';

const state = (subtask: number, stream: StreamHandle): ListState => ({
  operatorId: 'a',
  subtask,
  stream,
  offsets: [0n],
});
const segment = (path: string, start: bigint): StreamHandle => {
  return { tag: 15, path, start, size: 1n, scope: 0, logicalId: '' };
};

/** A file is its own number, ten times. */
function files() {
  const reads: string[] = [];
  let atOnce = 0;
  let most = 0;
  const read = async (uri: string) => {
    reads.push(uri);
    most = Math.max(most, ++atOnce);
    await Promise.resolve();
    atOnce--;
    return new Uint8Array(10).map((_, i) => Number(/\d+$/.exec(uri)?.[0]) + i);
  };
  return { reads, read, most: () => most };
}

test('states come in their order, and a file that several share is read once', async () => {
  const { reads, read } = files();
  const states = [
    state(0, segment('s3://b/20', 3n)),
    state(1, { tag: 6, path: '50', size: 10n }),
    state(2, { tag: 1, name: 'inside', data: Uint8Array.of(7) }),
    state(3, segment('s3://b/20', 1n)),
    state(4, { tag: 2, path: 's3://b/50', size: 10n }),
  ];
  const found = await decodeStates(states, 's3://b/chk-1', read, (stream) => [stream[0]]);
  expect(found.map(({ subtask, elements }) => [subtask, ...elements])).toEqual([
    [0, 23],
    [1, 50],
    [2, 7],
    [3, 21],
    [4, 50],
  ]);
  expect(reads.sort()).toEqual(['s3://b/20', 's3://b/50', 's3://b/chk-1/50']);
});

test('several files are read at once, and not all of many', async () => {
  const { reads, read, most } = files();
  const states = Array.from({ length: 40 }, (_, n) => state(n, { tag: 6, path: `${n}`, size: 10n }));
  await decodeStates(states, 's3://b/chk-1', read, () => []);
  expect([reads.length, most()]).toEqual([40, 8]);
});

test('an error of one file is thrown', async () => {
  const read = async (uri: string) => Promise.reject(new Error(`no ${uri}`));
  const states = [state(0, { tag: 2, path: 's3://b/1', size: 1n })];
  await expect(decodeStates(states, 's3://b/chk-1', read, () => [])).rejects.toThrow('no s3://b/1');
});
