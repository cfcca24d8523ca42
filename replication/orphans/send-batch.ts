import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';

const brokerTimeoutMs = 8_000;
/** The same batch is sent again so often while its fate is unknown: the broker tells a repeat by its sequence. */
const attempts = 8;
const pauseMs = 300;
const largeBytes = 512 * 1024;

/** Large records came compressed, as a rule; small ones stay readable for every tool. Pure. */
export function codecFor(records: readonly { readonly body: Buffer }[]): 'none' | 'gzip' {
  return records.reduce((sum, { body }) => sum + body.length, 0) > largeBytes ? 'gzip' : 'none';
}

/** Sends a producer's batch until the broker says that it has it: a repeat of one that it has is told by its sequence. */
export async function sendBatch(
  cluster: KafkaCluster,
  tp: TopicPartition,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let failure: unknown;
    try {
      // Who leads is asked when nobody has said so yet, and after every failure.
      if (attempt > 1 || !cluster.knowsLeader(tp)) await cluster.refresh([tp.topic], signal);
      const request = produceRequest([{ ...tp, bytes }], brokerTimeoutMs);
      const [answer] = await cluster.send(cluster.leaderOf(tp), 'orphans', request, { signal });
      const code = answer?.errorCode ?? -1;
      // A broker that no longer knows where a repeated batch lies says that it is one.
      if (code === kafkaError.none || code === kafkaError.duplicateSequence) return;
      failure = partitionError(cluster.name, 'Produce', tp, code, answer?.errorMessage ?? '');
      if (!isTransient(code)) throw failure;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ArgusError && error.retryable) || attempt >= attempts) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs * attempt));
    signal.throwIfAborted();
  }
}
