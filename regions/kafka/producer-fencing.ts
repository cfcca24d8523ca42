import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { describeProducersRequest } from './describe-producers.ts';
import { errorName, isDenied, isTransient } from './error-codes.ts';
import { type KafkaCluster, partitionError } from './kafka-cluster.ts';
import type { BrokerAddress } from './metadata.ts';
import {
  abortTxnRequest,
  addPartitionsToTxnRequest,
  findTransactionCoordinatorRequest,
  initProducerIdRequest,
} from './transactions.ts';

const pollMs = 50;
/** Only the time between AddPartitionsToTxn and EndTxn of a fencing has to fit in. */
const transactionTimeoutMs = 60_000;

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** Makes, or takes over, the producer id behind a transactional id. Tries until the signal ends it. */
export async function initProducerId(
  cluster: KafkaCluster,
  transactionalId: string,
  signal: AbortSignal,
): Promise<ProducerIdentity> {
  const { producerId, producerEpoch } = await atCoordinator(cluster, transactionalId, signal, (coordinator) =>
    cluster.sendTo(coordinator, 'control', initProducerIdRequest(transactionalId, transactionTimeoutMs), { signal }),
  );
  return { producerId, producerEpoch };
}

/**
 * Raises the epoch behind a transactional id and makes it known to each partition by an ABORT marker, then asks the
 * partitions' leaders until each shows it. Tries until the signal ends it. Source: KIP-98 (fencing), KIP-664.
 */
export async function fencePartitions(
  cluster: KafkaCluster,
  transactionalId: string,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ProducerIdentity> {
  await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const fencing = await initProducerId(cluster, transactionalId, signal);
  await atCoordinator(cluster, transactionalId, signal, async (coordinator) => {
    const request = addPartitionsToTxnRequest(transactionalId, fencing, partitions);
    const answers = await cluster.sendTo(coordinator, 'control', request, { signal });
    const refused = answers.find((a) => a.errorCode !== 0);
    if (refused && !isTransient(refused.errorCode)) {
      throw partitionError(cluster.name, 'AddPartitionsToTxn', refused, refused.errorCode);
    }
    return { errorCode: refused?.errorCode ?? 0 };
  });
  await atCoordinator(cluster, transactionalId, signal, (coordinator) =>
    cluster.sendTo(coordinator, 'control', abortTxnRequest(transactionalId, fencing), { signal }),
  );
  let waiting: readonly TopicPartition[] = partitions;
  while (waiting.length > 0) {
    waiting = await stillOpenTo(cluster, fencing, waiting, signal);
    if (waiting.length > 0) await pause(pollMs, signal);
  }
  return fencing;
}

/** The partitions whose leader does not show the fencing epoch yet. */
async function stillOpenTo(
  cluster: KafkaCluster,
  fencing: ProducerIdentity,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly TopicPartition[]> {
  const byLeader = Map.groupBy(partitions, (p) => cluster.leaderOf(p));
  const answers = await Promise.all(
    [...byLeader].map(([node, list]) => cluster.send(node, 'control', describeProducersRequest(list), { signal })),
  );
  const fenced = new Set<string>();
  for (const answer of answers.flat()) {
    if (answer.errorCode !== 0) throw partitionError(cluster.name, 'DescribeProducers', answer, answer.errorCode);
    const seen = answer.producers.find((p) => p.producerId === fencing.producerId);
    if (seen && seen.producerEpoch >= fencing.producerEpoch) fenced.add(partitionKey(answer));
  }
  return partitions.filter((p) => !fenced.has(partitionKey(p)));
}

/** Calls the coordinator of a transactional id, again while it says that it is busy or has moved. */
async function atCoordinator<T extends { readonly errorCode: number }>(
  cluster: KafkaCluster,
  transactionalId: string,
  signal: AbortSignal,
  call: (coordinator: BrokerAddress) => Promise<T>,
): Promise<T> {
  for (;;) {
    const found = await cluster.ask(() => findTransactionCoordinatorRequest(transactionalId), signal);
    const answer = found.errorCode === 0 ? await call(found.address) : found;
    if (answer.errorCode === 0) return answer as T;
    if (!isTransient(answer.errorCode)) throw refused(cluster.name, transactionalId, answer.errorCode);
    await pause(pollMs, signal);
  }
}

function refused(region: string, transactionalId: string, code: number): ArgusError {
  return new ArgusError(
    isDenied(code) ? 'KafkaDenied' : 'KafkaFailed',
    `${region}: the transactional id ${transactionalId} answered ${errorName(code)}`,
    { hint: 'the principal needs WRITE and DESCRIBE on the transactional id and WRITE on the topics' },
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
