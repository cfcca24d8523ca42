import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

interface LogSize {
  readonly topic: string;
  readonly partition: number;
  readonly sizeBytes: number;
}

/**
 * DescribeLogDirs (key 35), version 2 (flexible): what the logs on one broker take.
 *
 *     request: tags | compact [topic compact string | compact [partition i32] | tags], null for all | tags
 *     response: tags | throttle i32 | compact [error i16 | directory compact string | compact [topic compact string
 *       | compact [partition i32 | size i64 | lag i64 | future i8 | tags] | tags] | tags] | tags
 *
 * Without DESCRIBE on the cluster brokers name nothing. Source: KIP-113; Kafka protocol guide.
 */
export function logSizesRequest(): KafkaRequest<readonly LogSize[]> {
  const body = new WireWriter().uvarint(0).uvarint(0).uvarint(0);
  return { name: 'DescribeLogDirs', apiKey: 35, apiVersion: 2, body, read: readLogSizesResponse };
}

/** Decodes the response, version 2, from the tagged fields of its header on. */
export function readLogSizesResponse(bytes: Buffer): readonly LogSize[] {
  const reader = new WireReader(bytes);
  reader.tags();
  reader.int32();
  const directories = reader.compactArray(() => {
    reader.int16();
    reader.compactNullableString();
    const topics = reader.compactArray(() => {
      const topic = reader.compactNullableString() ?? '';
      const partitions = reader.compactArray(() => {
        const partition = reader.int32();
        const sizeBytes = Number(reader.int64());
        reader.int64();
        reader.int8();
        reader.tags();
        return { topic, partition, sizeBytes };
      });
      reader.tags();
      return partitions;
    });
    reader.tags();
    return topics.flat();
  });
  return directories.flat();
}

/** Bytes of these topics' logs by `topic-partition`, each log counted once, however many brokers hold it. */
export async function readLogSizes(
  cluster: KafkaCluster,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const wanted = new Set(topics);
  const { brokers } = await cluster.refresh(topics, signal);
  const answers = await Promise.all(
    [...brokers.keys()].map((node) => cluster.send(node, 'control', logSizesRequest(), { signal })),
  );
  const sizes = new Map<string, number>();
  for (const { topic, partition, sizeBytes } of answers.flat()) {
    if (!wanted.has(topic)) continue;
    const key = `${topic}-${partition}`;
    sizes.set(key, Math.max(sizes.get(key) ?? 0, sizeBytes));
  }
  return sizes;
}
