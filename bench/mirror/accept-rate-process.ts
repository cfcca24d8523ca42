// Sends prepared batches of a topic to the standby's broker as fast as it takes them; tells when it begins, and the
// result. Its one argument is the settings as JSON.
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { patchForProduce, recordBatches } from '../../regions/kafka/record-batch.ts';

interface Prepared {
  readonly bytes: Buffer;
  readonly records: number;
}

/** Held in memory and sent again and again, over all partitions. */
const heldBytes = 256 * 1024 * 1024;
const maxInFlight = 5;
/** No producer's id: the broker appends without looking at sequences, so a batch may come twice. */
const nobody = { producerId: -1n, producerEpoch: -1 };

const { source, target, topic, partitions, records, connections } = JSON.parse(process.argv[2] ?? '{}') as {
  /** How many the batches are sent over: a broker works at one request of a connection at a time. */
  connections: number;
  source: string;
  target: string;
  topic: string;
  partitions: number;
  records: number;
};
process.on('disconnect', () => process.exit(1));
const options = { clientId: 'argus-bench', connectTimeoutMs: 5_000, requestTimeoutMs: 30_000 };
const numbers = Array.from({ length: partitions }, (_, partition) => partition);

async function prepare(): Promise<readonly (readonly Prepared[])[]> {
  const cluster = new KafkaCluster({ ...options, name: 'source', bootstrap: [source] });
  await cluster.refresh([topic]);
  const all: Prepared[][] = [];
  for (const partition of numbers) {
    const held: Prepared[] = [];
    let offset = 0n;
    for (let bytes = 0; bytes < heldBytes / partitions; ) {
      const node = cluster.leaderOf({ topic, partition });
      const limits = { maxWaitMs: 0, maxBytes: 8 * 1024 * 1024 };
      const position = { topic, partition, offset, maxBytes: limits.maxBytes };
      const [answer] = await cluster.send(node, 'fetch', fetchRequest([position], limits));
      if (answer?.errorCode !== 0 || answer.records.length === 0) break;
      for (const batch of recordBatches(answer.records)) {
        patchForProduce(batch, nobody);
        held.push({ bytes: batch.bytes, records: batch.recordCount });
        bytes += batch.bytes.length;
        offset = batch.lastOffset + 1n;
      }
    }
    all.push(held);
  }
  cluster.close();
  return all;
}

async function send(all: readonly (readonly Prepared[])[]): Promise<number> {
  const cluster = new KafkaCluster({ ...options, name: 'standby', bootstrap: [target] });
  await cluster.refresh([topic]);
  const next = numbers.map(() => 0);
  let sent = 0;
  let accepted = 0;
  const lane = async (number: number) => {
    const mine = numbers.filter((partition) => partition % connections === number);
    const connection = await cluster.connection(cluster.leaderOf({ topic, partition: 0 }), `produce-${number}`);
    while (sent < records) {
      const now = mine.map((partition) => {
        const held = all[partition] as readonly Prepared[];
        const index = next[partition] as number;
        next[partition] = (index + 1) % held.length;
        return { topic, partition, ...(held[index] as Prepared) };
      });
      const count = now.reduce((sum, b) => sum + b.records, 0);
      sent += count;
      const answers = await connection.send(produceRequest(now, 30_000), { timeoutMs: 60_000 });
      const refused = answers.find((a) => a.errorCode !== 0);
      if (refused) throw new Error(`the broker refused a batch: ${refused.errorCode} ${refused.errorMessage ?? ''}`);
      accepted += count;
    }
  };
  await Promise.all(Array.from({ length: maxInFlight * connections }, (_, i) => lane(i % connections)));
  cluster.close();
  return accepted;
}

const prepared = await prepare();
process.send?.('prepared');
const cpu = process.cpuUsage();
const startedAt = performance.now();
const accepted = await send(prepared);
const wallSeconds = (performance.now() - startedAt) / 1000;
const used = process.cpuUsage(cpu);
process.send?.({ wallSeconds, records: accepted, senderCpuSeconds: (used.user + used.system) / 1e6 }, () => {
  process.exit(0);
});
