import { ArgusError } from '../../domain/errors.ts';
import { fetchRequest } from './fetch.ts';
import { type KafkaCluster, partitionError } from './kafka-cluster.ts';
import { type PlainRecord, plainBatch } from './plain-batch.ts';
import { produceRequest } from './produce.ts';

const answerBytes = 64 * 1024;

/**
 * Writes one record to the first partition, acknowledged by all replicas in sync, and reads its batch back from where it
 * is said to lie. `KafkaFailed` (`ReadBackDiffers` where it holds something else), `KafkaDenied`, `KafkaUnreachable`.
 */
export async function roundTrip(
  cluster: KafkaCluster,
  topic: string,
  record: PlainRecord,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<{ readonly offset: bigint }> {
  const { signal, timeoutMs } = options;
  const tp = { topic, partition: 0 };
  await cluster.refresh([topic], signal);
  const leader = cluster.leaderOf(tp);
  const bytes = plainBatch(record);
  const [written] = await cluster.send(leader, 'round-trip', produceRequest([{ ...tp, bytes }], timeoutMs), { signal });
  if (written?.errorCode !== 0) {
    throw partitionError(cluster.name, 'Produce', tp, written?.errorCode ?? -1);
  }
  const offset = written.baseOffset;
  const position = { ...tp, offset, maxBytes: answerBytes };
  const limits = { maxWaitMs: 100, maxBytes: answerBytes };
  const [read] = await cluster.send(leader, 'round-trip', fetchRequest([position], limits), { signal });
  if (read?.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', tp, read?.errorCode ?? -1);
  // Base offset and leader epoch are the broker's; what the checksum covers is not.
  const same = read.records.subarray(16, bytes.length).equals(bytes.subarray(16));
  if (same && read.records.length >= bytes.length && read.records.readBigInt64BE(0) === offset) return { offset };
  throw new ArgusError(
    'ReadBackDiffers',
    `${cluster.name}: ${topic} at ${offset} holds something else than was written`,
  );
}
