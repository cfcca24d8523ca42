// Produces single records at a rate into the source, reads the standby, and tells how long they took. Its one argument
// is the settings as JSON. Both in one process, so that one clock times all.
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRecordBatch } from '../../lab/ingest/record-batch.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { recordBatches } from '../../regions/kafka/record-batch.ts';
import { quantile } from './statistics.ts';

const { source, target, topic, recordsPerSecond, warmupSeconds, seconds } = JSON.parse(process.argv[2] ?? '{}');
process.on('disconnect', () => process.exit(1));
const options = { clientId: 'argus-bench', connectTimeoutMs: 5_000, requestTimeoutMs: 60_000 };
const at = { topic: topic as string, partition: 0 };
const value = 'x'.repeat(180);
const patienceMs = 60_000;

/** By offset, which is the same on both sides: one partition, one producer, both logs new. */
const sentAt: number[] = [];
const ackedAt: number[] = [];
const seenAt: number[] = [];

async function connection(name: string, address: string, lane: string) {
  const cluster = new KafkaCluster({ ...options, name, bootstrap: [address] });
  await cluster.refresh([topic]);
  return cluster.connection(cluster.leaderOf(at), lane);
}

const producing = await connection('source', source, 'produce');
const watching = await connection('standby', target, 'fetch');

async function watch(): Promise<void> {
  for (;;) {
    const position = { ...at, offset: BigInt(seenAt.length), maxBytes: 1024 * 1024 };
    const answers = await watching.send(fetchRequest([position], { maxWaitMs: 500, maxBytes: 1024 * 1024 }), {
      timeoutMs: 60_000,
    });
    const now = performance.now();
    for (const { records, errorCode } of answers) {
      if (errorCode !== 0) throw new Error(`the standby answered ${errorCode}`);
      for (const batch of recordBatches(records)) while (seenAt.length <= batch.lastOffset) seenAt.push(now);
    }
  }
}

function produce(): void {
  const bytes = encodeRecordBatch([{ key: String(sentAt.length), value }], Date.now());
  const began = performance.now();
  sentAt.push(began);
  producing.send(produceRequest([{ ...at, bytes }], 30_000), { timeoutMs: 60_000 }).then(([answer]) => {
    if (answer?.errorCode !== 0) throw new Error(`the source refused a record: ${answer?.errorCode}`);
    ackedAt[Number(answer.baseOffset)] = performance.now();
  });
}

/** Sends so many records a second, from `from` for a time. */
async function produceFor(lastingMs: number): Promise<void> {
  const from = performance.now();
  const first = sentAt.length;
  for (let elapsed = 0; elapsed < lastingMs; ) {
    await sleep(1);
    elapsed = performance.now() - from;
    while (sentAt.length - first < (Math.min(elapsed, lastingMs) * recordsPerSecond) / 1000) produce();
  }
}

async function untilSeen(count: number): Promise<void> {
  for (const deadline = performance.now() + patienceMs; seenAt.length < count; await sleep(10)) {
    if (performance.now() > deadline) throw new Error(`the standby has ${seenAt.length} of ${count} records`);
  }
}

void watch();
// The mirror is there when the first record is: only then does the warm-up begin.
produce();
await untilSeen(1);
await produceFor(warmupSeconds * 1000);
const begin = sentAt.length;
await produceFor(seconds * 1000);
await untilSeen(sentAt.length);
const range = Array.from({ length: sentAt.length - begin }, (_, i) => begin + i);
const times = (of: (i: number) => number) => {
  const sorted = range.map(of).sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};
const result = {
  records: range.length,
  ack: times((i) => (ackedAt[i] as number) - (sentAt[i] as number)),
  mirrored: times((i) => (seenAt[i] as number) - (ackedAt[i] as number)),
};
process.send?.(result, () => process.exit(0));
