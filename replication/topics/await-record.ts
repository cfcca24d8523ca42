import { partitionKey } from '../../domain/offsets.ts';
import { type FetchPosition, fetchRequest } from '../../regions/kafka/fetch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { recordBatches } from '../../regions/kafka/record-batch.ts';
import { decodeRecords } from '../../regions/kafka/record-codec.ts';

const partitionBytes = 1024 * 1024;
const answerBytes = 8 * 1024 * 1024;
const maxWaitMs = 200;

/** Where each partition of a topic ends now, by `partitionKey`: what comes later is found by `awaitRecord`. */
export async function topicEnds(
  cluster: KafkaCluster,
  topic: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, bigint>> {
  const { topics } = await cluster.refresh([topic], signal);
  const partitions = (topics.get(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition }));
  return cluster.logEnds(partitions, signal);
}

/**
 * Done as soon as a record that holds the text, in key, value or a header, is written behind the given ends, committed or
 * not. The cluster has looked up who leads, and is asked for nothing else meanwhile. Rejects with the signal's reason;
 * errors are those of `KafkaCluster`. Reads everything that is written until then.
 */
export async function awaitRecord(
  cluster: KafkaCluster,
  topic: string,
  ends: ReadonlyMap<string, bigint>,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const wanted = Buffer.from(text);
  const next = new Map(ends);
  let found = false;
  const search = async (node: number, partitions: readonly number[]): Promise<void> => {
    while (!found) {
      const positions = partitions.map((partition): FetchPosition => {
        const offset = next.get(partitionKey({ topic, partition })) ?? 0n;
        return { topic, partition, offset, maxBytes: partitionBytes };
      });
      const request = fetchRequest(positions, { maxWaitMs, maxBytes: answerBytes });
      for (const answer of await cluster.send(node, 'tail', request, { signal })) {
        if (answer.errorCode !== 0) throw partitionError(cluster.name, 'Fetch', answer, answer.errorCode);
        for (const batch of recordBatches(answer.records)) {
          next.set(partitionKey(answer), batch.lastOffset + 1n);
          if (!batch.control && decodeRecords(batch).some((r) => r.body.includes(wanted))) found = true;
        }
      }
    }
  };
  const partitions = [...ends.keys()].map((key) => Number(key.slice(topic.length + 1)));
  const byLeader = Map.groupBy(partitions, (partition) => cluster.leaderOf({ topic, partition }));
  const searches = [...byLeader].map(([node, list]) => search(node, list));
  // A topic that isn't there holds nothing until the caller gives up.
  if (searches.length === 0) await new Promise<never>((_, reject) => rejectAt(signal, reject));
  await Promise.race(searches);
  // The others end with their present question.
  await Promise.allSettled(searches);
}

function rejectAt(signal: AbortSignal, reject: (reason: unknown) => void): void {
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
}
