import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { codecOf } from '../../../../regions/kafka/compression.ts';
import {
  checksumHolds,
  markerOutcome,
  patchForProduce,
  type RecordBatch,
  readBatch,
  recordBatches,
} from '../../../../regions/kafka/record-batch.ts';
import { decodeRecords, encodeBatch, type KafkaRecord } from '../../../../regions/kafka/record-codec.ts';
import { decideBatch } from '../../../../replication/topics/continuity.ts';
import { splitCompacted } from '../../../../replication/topics/split-batch.ts';

const captured = (name: string) => readFileSync(new URL(`../../../../fixtures/kafka/${name}.bin`, import.meta.url));
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const text = (r: KafkaRecord) => `${r.offset} ${r.timestampMs} ${r.body.toString('hex')}`;

/** What it gives, or undefined when it throws its own error. */
function orItsOwnError<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgusError);
    expect((error as ArgusError).code).toBe('KafkaMalformed');
    return undefined;
  }
}

describe.each(codecs)('a batch that Kafka`s producer packed by %s', (codec) => {
  const bytes = captured(`batch-${codec}`);
  const batch = readBatch(Buffer.from(bytes));

  test('is read whole, and its records are those of the header', () => {
    expect(checksumHolds(bytes)).toBe(true);
    expect(codecOf(bytes.readInt16BE(21))).toBe(codec);
    const records = decodeRecords(batch);
    expect(records).toHaveLength(batch.recordCount);
    expect(records[0]?.offset).toBe(batch.baseOffset);
    expect(records.at(-1)?.offset).toBe(batch.lastOffset);
  });

  test('holds the same records when they are written anew', () => {
    const records = decodeRecords(batch);
    const packs = codec === 'snappy' || codec === 'lz4' ? 'gzip' : codec;
    const traits = { codec: packs, stampedByBroker: false, transactional: false, producerId: -1n } as const;
    expect(decodeRecords(encodeBatch(records, traits)).map(text)).toEqual(records.map(text));
  });

  test('comes back byte for byte when it gets another producer and then its own', () => {
    const own = { producerId: batch.producerId, producerEpoch: bytes.readInt16BE(51) };
    const patched = readBatch(Buffer.from(bytes));
    patchForProduce(patched, { producerId: 77n, producerEpoch: 3 });
    expect(checksumHolds(patched.bytes)).toBe(true);
    patchForProduce(patched, own, bytes.readInt32BE(53));
    // Base offset and leader epoch are the broker's; the checksum does not cover them.
    bytes.copy(patched.bytes, 0, 0, 16);
    expect(patched.bytes.equals(bytes)).toBe(true);
  });

  test('that was damaged gives only the decoder`s own error, and no more records than it says', () => {
    const change = fc.record({ at: fc.nat({ max: bytes.length - 1 }), to: fc.nat({ max: 255 }) });
    const cut = fc.nat({ max: bytes.length });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), cut, fc.boolean(), (changes, length, whole) => {
        const damaged = Buffer.from(bytes.subarray(0, whole ? bytes.length : length));
        for (const { at, to } of changes) if (at < damaged.length) damaged[at] = to;
        const batches = orItsOwnError(() => [...recordBatches(damaged)]) ?? [];
        for (const b of batches) {
          const records = orItsOwnError(() => decodeRecords(b, 1024 * 1024));
          if (records) expect(records).toHaveLength(b.recordCount);
          orItsOwnError(() => splitCompacted(b));
        }
      }),
      { numRuns: 150 },
    );
  });
});

test('a log of transactions that a broker wrote is read as it was written', () => {
  const batches = [...recordBatches(captured('log-transactions'))];
  expect(batches.every((b) => checksumHolds(b.bytes))).toBe(true);
  const kind = (b: RecordBatch) =>
    b.control ? (markerOutcome(b) ?? '?') : `${b.recordCount}${b.transactional ? 't' : ''}`;
  const first = ['3', '4t', '2t', '2', '1t', '1t', '2t', '3', 'commit', 'abort'];
  expect(batches.map(kind)).toEqual([...first, '4t', '2t', '2', '1t', '1t', '2t', 'commit', '1', 'abort']);
});

describe('what the mirror takes of a log', () => {
  const log = [...recordBatches(captured('log-transactions'))];

  test('follows each other without a gap and without an overlap, wherever it begins and however it is fetched', () => {
    const ends = log.map((b) => b.lastOffset + 1n);
    const first = log[0]?.baseOffset ?? 0n;
    const seen = fc.array(fc.record({ from: fc.nat({ max: log.length }), count: fc.nat({ max: 8 }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.constantFrom(first, ...ends), seen, (start, fetches) => {
        let position = start;
        const taken: RecordBatch[] = [];
        // Answers that begin before the position, as brokers give them, or repeat what was taken: never past it.
        for (const { from, count } of [...fetches, { from: 0, count: log.length }]) {
          const reachable = log.findIndex((b) => b.lastOffset >= position);
          if (reachable < 0) break;
          for (const b of log.slice(Math.min(from, reachable), Math.min(from, reachable) + count)) {
            const decision = decideBatch(position, b);
            expect(decision.kind).not.toBe('stop');
            if (decision.kind !== 'take') continue;
            taken.push(b);
            position = b.lastOffset + 1n;
          }
        }
        expect(position).toBe(ends.at(-1));
        expect(taken[0]?.baseOffset ?? start).toBe(start);
        for (const [i, b] of taken.entries()) {
          if (i > 0) expect(b.baseOffset).toBe((taken[i - 1]?.lastOffset ?? 0n) + 1n);
        }
      }),
    );
  });
});
