import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvents } from '../../../../lab/ingest/event.ts';
import {
  frameRequest,
  metadataRequest,
  produceRequest,
  readProduceAnswers,
} from '../../../../lab/ingest/kafka-messages.ts';
import { partitionOf } from '../../../../lab/ingest/partition.ts';
import { encodeRecordBatch } from '../../../../lab/ingest/record-batch.ts';

const require = createRequire(import.meta.url);
/** kafkajs reads what we wrote: a decoder that shares no code with the encoder. */
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => { readInt64(): unknown };
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ records: { key: Buffer; value: Buffer; offset: string; timestamp: string }[] }>;

describe('a record batch', () => {
  it('is read back by another client, whatever the texts', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 });
    const records = fc.array(fc.record({ key: text, value: text }), { minLength: 1, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const read = await decodeBatch(new Decoder(encodeRecordBatch(given, 1_790_000_000_000)));
        expect(read.records.map((r) => ({ key: r.key.toString(), value: r.value.toString() }))).toEqual(given);
        expect(read.records.map((r) => r.offset)).toEqual(given.map((_, i) => String(i)));
        expect(read.records[0]!.timestamp).toBe('1790000000000');
      }),
      { numRuns: 30 },
    );
  });
});

describe('a request', () => {
  it('carries length, key, version, correlation id and client id', () => {
    expect(frameRequest(metadataRequest('t'), 9, 'c').toString('hex')).toBe(
      '0000001300030004000000090001630000000100017400',
    );
  });

  it('of Produce names acks=all and each batch with its length', () => {
    expect(produceRequest('t', new Map([[2, Buffer.from('ab')]]), 5).body.toString('hex')).toBe(
      'ffffffff00000005000000010001740000000100000002000000026162',
    );
  });

  it('whose answer ends too early is told by a RangeError', () => {
    expect(() => readProduceAnswers(Buffer.from('00000001000174', 'hex'))).toThrow(RangeError);
  });
});

describe('partitions and bodies', () => {
  it('a key always falls into one partition that exists', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (key, count) => {
        const partition = partitionOf(key, count);
        return partition >= 0 && partition < count && partition === partitionOf(key, count);
      }),
    );
    expect(partitionOf('k-0001', 4)).toBe(partitionOf('k-0001', 4));
  });

  it.each([
    ['no JSON', 'x'],
    ['no array', '{}'],
    ['an empty array', '[]'],
    ['an event without a key', '[{"id":"a","seq":1}]'],
    ['a sequence that is no whole number', '[{"id":"a","key":"k","seq":1.5}]'],
    ['null', '[null]'],
    ['51 events', JSON.stringify(Array.from({ length: 51 }, (_, i) => ({ id: `${i}`, key: 'k', seq: i })))],
  ])('refuses a body with %s', (_what, body) => {
    expect(() => parseEvents(body)).toThrow();
  });
});
