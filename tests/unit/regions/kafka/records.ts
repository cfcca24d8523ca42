import { crc32c } from '@node-rs/crc32';
import { compressionsAlgorithms } from '@platformatic/kafka';
import fc from 'fast-check';
import { type Codec, codecBits } from '../../../../regions/kafka/compression.ts';
import { type RecordBatch, readBatch } from '../../../../regions/kafka/record-batch.ts';
import { type BatchTraits, encodeBatch, type KafkaRecord } from '../../../../regions/kafka/record-codec.ts';

export const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export const plainTraits: BatchTraits = {
  codec: 'none',
  stampedByBroker: false,
  transactional: false,
  producerId: -1n,
};

/** Key, value and headers as a record has them. */
export function bodyOf(key: Buffer | null, value: Buffer | null, headers: readonly (readonly [string, Buffer])[] = []) {
  const sized = (bytes: Buffer | null) => (bytes ? [varint(bytes.length), bytes] : [varint(-1)]);
  const list = headers.flatMap(([name, v]) => [...sized(Buffer.from(name)), ...sized(v)]);
  return Buffer.concat([...sized(key), ...sized(value), varint(headers.length), ...list]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((b) => Buffer.from(b));
const text = fc.string({ maxLength: 8 });
const body = fc
  .tuple(
    fc.option(bytes(20)),
    fc.option(
      fc.oneof(
        bytes(300),
        text.map((t) => Buffer.from(t.repeat(40))),
      ),
    ),
    fc.array(fc.tuple(text, bytes(8)), { maxLength: 2 }),
  )
  .map(([key, value, headers]) => bodyOf(key, value, headers));

/** Records that follow each other from an offset on, of any time that has 64 bits. */
export const anyRecords: fc.Arbitrary<(base: bigint) => KafkaRecord[]> = fc
  .array(
    fc.record({
      timestampMs: fc.oneof(
        fc.bigInt({ min: -1n, max: 2n ** 42n }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      ),
      body,
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((list) => (base: bigint) => list.map((r, i) => ({ ...r, attributes: 0, offset: base + BigInt(i) })));

/** The same uncompressed batch, packed as a producer would. */
export function inCodec(batch: RecordBatch, codec: Codec): RecordBatch {
  if (codec === 'none') return batch;
  const payload = compressionsAlgorithms[codec].compressSync(batch.bytes.subarray(61)) as Buffer;
  const packed = Buffer.concat([batch.bytes.subarray(0, 61), payload]);
  packed.writeInt32BE(packed.length - 12, 8);
  packed.writeInt16BE((packed.readInt16BE(21) & ~7) | codecBits(codec), 21);
  packed.writeUInt32BE(crc32c(packed.subarray(21)), 17);
  return readBatch(packed);
}

/** What compaction leaves of a batch: its span, and the records that `keep` is true for. At least one must be. */
export function compactedBatch(
  records: readonly KafkaRecord[],
  keep: (index: number) => boolean,
  codec: Codec,
): RecordBatch {
  const kept = records.filter((_, i) => keep(i));
  const [first, last] = [records[0] as KafkaRecord, records.at(-1) as KafkaRecord];
  // The encoder writes deltas without holes: each is set afterwards, and so is the span.
  const whole = Buffer.concat([Buffer.alloc(0), ...kept.map((r) => recordAt(r, first))]);
  const bare = encodeBatch([first], plainTraits).bytes;
  const bytes = Buffer.concat([bare.subarray(0, 61), whole]);
  const newest = kept.map((r) => r.timestampMs).sort((a, b) => (a < b ? 1 : -1))[0] ?? 0n;
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(Number(last.offset - first.offset), 23);
  bytes.writeBigInt64BE(newest, 35);
  bytes.writeInt32BE(kept.length, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return inCodec(readBatch(bytes), codec);
}

function recordAt(record: KafkaRecord, first: KafkaRecord): Buffer {
  const delta = BigInt.asIntN(64, record.timestampMs - first.timestampMs);
  const rest = Buffer.concat([
    Buffer.from([record.attributes]),
    longVarint(delta),
    varint(Number(record.offset - first.offset)),
    record.body,
  ]);
  return Buffer.concat([varint(rest.length), rest]);
}

function longVarint(value: bigint): Buffer {
  const list: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) list.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...list, Number(rest)]);
}
