import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { readApiVersionsResponse } from '../../../../regions/kafka/api-versions.ts';
import { readDescribeProducersResponse } from '../../../../regions/kafka/describe-producers.ts';
import { readDescribeTransactionsResponse } from '../../../../regions/kafka/describe-transactions.ts';
import { readEpochEndsResponse } from '../../../../regions/kafka/epoch-ends.ts';
import { readFeatureLevelsResponse } from '../../../../regions/kafka/feature-levels.ts';
import { readFetchResponse } from '../../../../regions/kafka/fetch.ts';
import { readListOffsetsResponse } from '../../../../regions/kafka/list-offsets.ts';
import { readMetadataResponse } from '../../../../regions/kafka/metadata.ts';
import { readProduceResponse } from '../../../../regions/kafka/produce.ts';
import { endTxnRaisingEpochRequest } from '../../../../regions/kafka/transactions.ts';
import { WireReader, WireWriter } from '../../../../regions/kafka/wire.ts';
import { writeTxnMarkersRequest } from '../../../../regions/kafka/write-txn-markers.ts';

function bytesOf(writer: WireWriter): Buffer {
  const { chunks, length } = writer.finish();
  const all = Buffer.concat(chunks);
  expect(all.length).toBe(length);
  return all;
}

const responses = {
  fetch: {
    read: readFetchResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .int32(0)
          .int16(0)
          .int32(0)
          .int32(1)
          .string('events')
          .int32(1)
          .int32(3)
          .int16(0)
          .int64(42n)
          .int64(40n)
          .int64(7n)
          .int32(1)
          .int64(5n)
          .int64(6n)
          .int32(-1)
          .bytes(Buffer.from('batches')),
      ),
    expected: [
      {
        topic: 'events',
        partition: 3,
        errorCode: 0,
        highWatermark: 42n,
        logStartOffset: 7n,
        records: Buffer.from('batches'),
      },
    ],
  },
  produce: {
    read: readProduceResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .int32(1)
          .string('events')
          .int32(1)
          .int32(3)
          .int16(87)
          .int64(-1n)
          .int64(-1n)
          .int64(0n)
          .int32(1)
          .int32(0)
          .string('record 0 is wrong')
          .string(null)
          .int32(0),
      ),
    expected: [{ topic: 'events', partition: 3, errorCode: 87, baseOffset: -1n, errorMessage: 'record 0 is wrong' }],
  },
  listOffsets: {
    read: readListOffsetsResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .int32(0)
          .int32(1)
          .string('events')
          .int32(2)
          .int32(0)
          .int16(0)
          .int64(-1n)
          .int64(12n)
          .int32(0)
          .int32(1)
          .int16(6)
          .int64(-1n)
          .int64(-1n)
          .int32(-1),
      ),
    expected: [
      { topic: 'events', partition: 0, errorCode: 0, offset: 12n },
      { topic: 'events', partition: 1, errorCode: 6, offset: -1n },
    ],
  },
  epochEnds: {
    read: readEpochEndsResponse,
    bytes: () =>
      bytesOf(new WireWriter().int32(0).int32(1).string('events').int32(1).int16(0).int32(3).int32(5).int64(60n)),
    expected: [{ topic: 'events', partition: 3, errorCode: 0, epoch: 5, endOffset: 60n }],
  },
  metadata: {
    read: readMetadataResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .int32(0)
          .int32(1)
          .int32(4)
          .string('10.0.0.1')
          .int32(9092)
          .string(null)
          .string('cluster')
          .int32(4)
          .int32(1)
          .int16(0)
          .string('events')
          .int8(0)
          .int32(1)
          .int16(0)
          .int32(0)
          .int32(4)
          .int32(6)
          .int32(1)
          .int32(4)
          .int32(1)
          .int32(4)
          .int32(0),
      ),
    expected: {
      brokers: new Map([[4, { host: '10.0.0.1', port: 9092 }]]),
      topics: new Map([
        [
          'events',
          {
            errorCode: 0,
            partitions: [{ partition: 0, errorCode: 0, leader: 4, leaderEpoch: 6, replicas: 1, inSync: 1 }],
          },
        ],
      ]),
    },
  },
  describeProducers: {
    read: readDescribeProducersResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .uvarint(0)
          .int32(0)
          .uvarint(2)
          .compactString('events')
          .uvarint(2)
          .int32(1)
          .int16(0)
          .uvarint(0)
          .uvarint(2)
          .int64(9n)
          .int32(2)
          .int32(5)
          .int64(0n)
          .int32(7)
          .int64(-1n)
          .uvarint(0)
          .uvarint(0)
          .uvarint(0)
          .uvarint(0),
      ),
    expected: [
      {
        topic: 'events',
        partition: 1,
        errorCode: 0,
        producers: [{ producerId: 9n, producerEpoch: 2, coordinatorEpoch: 7, lastSequence: 5, transactionStart: -1n }],
      },
    ],
  },
  describeTransactions: {
    read: readDescribeTransactionsResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .uvarint(0)
          .int32(0)
          .uvarint(2)
          .int16(0)
          .compactString('id')
          .compactString('Ongoing')
          .int32(900_000)
          .int64(1_700n)
          .int64(9n)
          .int16(2)
          .uvarint(2)
          .compactString('events')
          .uvarint(2)
          .int32(1)
          .uvarint(0)
          .uvarint(0)
          .int32(0),
      ),
    expected: [
      {
        transactionalId: 'id',
        errorCode: 0,
        state: 'Ongoing',
        timeoutMs: 900_000,
        startedAtMs: 1_700,
        producerId: 9n,
        producerEpoch: 2,
      },
    ],
  },
  featureLevels: {
    read: readFeatureLevelsResponse,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .int16(0)
          .uvarint(2)
          .int16(26)
          .int16(0)
          .int16(5)
          .uvarint(0)
          .int32(0)
          .uvarint(3)
          // Tag 0: what the broker supports, of which the highest level counts.
          .uvarint(0)
          .uvarint(23)
          .uvarint(2)
          .compactString('metadata.version')
          .int16(7)
          .int16(30)
          .uvarint(0)
          // Tag 1: the features' epoch, eight bytes.
          .uvarint(1)
          .uvarint(8)
          .int64(3n)
          .uvarint(2)
          .uvarint(25)
          .uvarint(2)
          .compactString('transaction.version')
          .int16(2)
          .int16(2)
          .uvarint(0),
      ),
    expected: {
      errorCode: 0,
      levels: new Map([['transaction.version', 2]]),
      supported: new Map([['metadata.version', 30]]),
    },
  },
  apiVersions: {
    read: readApiVersionsResponse,
    bytes: () => bytesOf(new WireWriter().int16(0).int32(1).int16(1).int16(4).int16(18)),
    expected: { errorCode: 0, offered: new Map([[1, { min: 4, max: 18 }]]) },
  },
  endTxnRaisingEpoch: {
    read: endTxnRaisingEpochRequest('id', { producerId: 9n, producerEpoch: 1 }, 'commit').read,
    bytes: () => bytesOf(new WireWriter().uvarint(0).int32(0).int16(0).int64(9n).int16(2).uvarint(0)),
    expected: { errorCode: 0, producerId: 9n, producerEpoch: 2 },
  },
  writeTxnMarkers: {
    read: writeTxnMarkersRequest({ producerId: 9n, producerEpoch: 1, coordinatorEpoch: 0, outcome: 'abort' }, []).read,
    bytes: () =>
      bytesOf(
        new WireWriter()
          .uvarint(0)
          .uvarint(2)
          .int64(9n)
          .uvarint(2)
          .compactString('events')
          .uvarint(2)
          .int32(1)
          .int16(6)
          .uvarint(0)
          .uvarint(0)
          .uvarint(0)
          // The tagged fields of the whole, which are not looked at, and room for the rule below.
          .int32(0),
      ),
    expected: [{ topic: 'events', partition: 1, errorCode: 6 }],
  },
} as const;

describe.each(Object.entries(responses))('the %s response', (_name, { read, bytes, expected }) => {
  test('is read field by field', () => {
    expect(read(bytes())).toEqual(expected);
  });

  test('that is cut anywhere throws KafkaMalformed', () => {
    const whole = bytes();
    // The last field of some responses is not looked at.
    const needed = whole.length - 4;
    for (let length = 0; length < needed; length++) {
      expect(() => read(whole.subarray(0, length)), `${length} of ${whole.length}`).toThrow(ArgusError);
    }
  });

  test('of random or damaged bytes throws nothing but KafkaMalformed', () => {
    const damaged = fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, value]) => {
      const whole = bytes();
      whole[at % whole.length] = value;
      return whole;
    });
    const random = fc.uint8Array({ maxLength: 200 }).map((a) => Buffer.from(a));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (input) => {
        try {
          read(input);
        } catch (error) {
          expect(error).toBeInstanceOf(ArgusError);
          expect((error as ArgusError).code).toBe('KafkaMalformed');
        }
      }),
    );
  });
});

describe('the primitive types', () => {
  test('come back as they were written, whatever their number and length', () => {
    const field = fc.oneof(
      fc.record({ type: fc.constant('int64' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
      fc.record({ type: fc.constant('string' as const), value: fc.string({ maxLength: 700 }) }),
      fc.record({ type: fc.constant('uvarint' as const), value: fc.nat() }),
      fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array().map((b) => Buffer.from(b)) }),
    );
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new WireWriter();
        for (const f of fields) {
          if (f.type === 'int64') writer.int64(f.value);
          else if (f.type === 'string') writer.string(f.value);
          else if (f.type === 'uvarint') writer.uvarint(f.value);
          else writer.bytes(f.value);
        }
        const reader = new WireReader(bytesOf(writer));
        for (const f of fields) expect(reader[f.type]()).toEqual(f.value);
        expect(reader.remaining).toBe(0);
      }),
    );
  });
});
