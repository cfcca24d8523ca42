import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs, { CompressionTypes, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { theEnd } from './writer.ts';

/** kafkajs with zstd, which it knows by name only. */
export function patientClient(address: string): Kafka {
  kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async (encoder: { readonly buffer: Buffer }) => zstdCompressSync(encoder.buffer),
    decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
  });
  const timeouts = { connectionTimeout: 3_000, requestTimeout: 8_000 };
  return new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    ...timeouts,
    retry: { retries: 30, maxRetryTime: 1_000 },
  });
}

export interface ReadLog {
  /** For each partition, offset and checksum of each record in the order in which the reader got them. */
  readonly records: readonly (readonly string[])[];
  /** What `named` could not find at its offset. */
  readonly missing: readonly string[];
}

/** Reads a whole topic as an ordinary consumer does, up to `theEnd` in each partition, and looks for named records. */
export async function readLog(
  client: Kafka,
  topic: string,
  partitions: number,
  named: ReadonlyMap<string, string>,
  readUncommitted: boolean,
): Promise<ReadLog> {
  const consumer = client.consumer({ groupId: `audit-${Math.random()}`, readUncommitted });
  const records: string[][] = Array.from({ length: partitions }, () => []);
  const sought = new Map(named);
  let ended = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: { partition: number; messages: readonly KafkaMessage[] } }) => {
      for (const m of batch.messages) {
        records[batch.partition]?.push(`${m.offset} ${checksum(m)}`);
        const at = `${batch.partition}@${m.offset}`;
        const name = sought.get(at);
        if (name !== undefined && m.value?.subarray(0, name.length).toString() === name) sought.delete(at);
        if (m.value?.length === theEnd.length && `${m.value}` === theEnd) ended++;
      }
      if (ended === partitions) resolve();
    };
    consumer.run({ eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return { records, missing: [...sought].map(([at, name]) => `${at} ${name}`) };
}

function checksum(m: KafkaMessage): number {
  let sum = crc32(`${m.timestamp}|${m.key === null}|${m.value === null}|`);
  if (m.key) sum = crc32(m.key, sum);
  sum = crc32('|', sum);
  if (m.value) sum = crc32(m.value, sum);
  return crc32(JSON.stringify(Object.entries(m.headers ?? {}).map(([key, value]) => [key, `${value}`])), sum);
}
