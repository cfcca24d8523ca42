import { describe, expect, test } from 'vitest';
import { epochEndsRequest } from '../../../../regions/kafka/epoch-ends.ts';
import { fetchRequest } from '../../../../regions/kafka/fetch.ts';
import { listOffsetsRequest } from '../../../../regions/kafka/list-offsets.ts';
import { metadataRequest } from '../../../../regions/kafka/metadata.ts';
import { produceRequest } from '../../../../regions/kafka/produce.ts';
import { WireReader, type WireWriter } from '../../../../regions/kafka/wire.ts';

function bytesOf(writer: WireWriter): Buffer {
  const { chunks, length } = writer.finish();
  const all = Buffer.concat(chunks);
  expect(all.length).toBe(length);
  return all;
}

describe('a request', () => {
  test('for the end of an epoch names the epoch that was read and that of the leader', () => {
    const positions = [{ topic: 'a', partition: 1, currentEpoch: 7, epoch: 5 }];
    const reader = new WireReader(bytesOf(epochEndsRequest(positions).body));
    expect(reader.int32()).toBe(-1);
    const topics = reader.array(() => [
      reader.string(),
      reader.array(() => [reader.int32(), reader.int32(), reader.int32()]),
    ]);
    expect([topics, reader.remaining]).toEqual([[['a', [[1, 7, 5]]]], 0]);
  });

  test('names each topic once, with all its partitions', () => {
    const positions = [
      { topic: 'a', partition: 0, offset: 1n, maxBytes: 10 },
      { topic: 'b', partition: 0, offset: 2n, maxBytes: 10 },
      { topic: 'a', partition: 1, offset: 3n, maxBytes: 10 },
    ];
    const reader = new WireReader(bytesOf(fetchRequest(positions, { maxWaitMs: 500, maxBytes: 1_000 }).body));
    expect([reader.int32(), reader.int32(), reader.int32(), reader.int32()]).toEqual([-1, 500, 1, 1_000]);
    expect([reader.int8(), reader.int32(), reader.int32()]).toEqual([0, 0, -1]);
    const topics = reader.array(() => [
      reader.string(),
      reader.array(() => {
        const [partition, epoch, offset] = [reader.int32(), reader.int32(), reader.int64()];
        return [partition, epoch, offset, reader.int64(), reader.int32()];
      }),
    ]);
    expect(topics).toEqual([
      [
        'a',
        [
          [0, -1, 1n, -1n, 10],
          [1, -1, 3n, -1n, 10],
        ],
      ],
      ['b', [[0, -1, 2n, -1n, 10]]],
    ]);
    expect([reader.int32(), reader.string(), reader.remaining]).toEqual([0, '', 0]);
  });

  test('to produce carries the batches as they are, without a copy', () => {
    const batch = Buffer.from('a batch');
    const { chunks } = produceRequest([{ topic: 'a', partition: 2, bytes: batch }], 5_000).body.finish();
    expect(chunks.some((c) => c === batch)).toBe(true);
  });

  test('for offsets and for metadata ends where it should', () => {
    const offsets = new WireReader(bytesOf(listOffsetsRequest([{ topic: 'a', partition: 2 }], -1n).body));
    expect([offsets.int32(), offsets.int8(), offsets.int32(), offsets.string(), offsets.int32()]).toEqual([
      -1,
      0,
      1,
      'a',
      1,
    ]);
    expect([offsets.int32(), offsets.int32(), offsets.int64(), offsets.remaining]).toEqual([2, -1, -1n, 0]);
    const metadata = new WireReader(bytesOf(metadataRequest(['a']).body));
    expect([metadata.int32(), metadata.string(), metadata.int8(), metadata.remaining]).toEqual([1, 'a', 0, 0]);
  });
});
