import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { missingRight, missingRightHint } from './access.ts';
import type { PartitionProducers } from './describe-producers.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import { type KafkaCluster, partitionError } from './kafka-cluster.ts';
import type { BrokerAddress } from './metadata.ts';
import { mirrorIds } from './mirror-ids.ts';
import { describeProducers } from './producers-of.ts';
import {
  addPartitionsToTxnRequest,
  endTxnRequest,
  findTransactionCoordinatorRequest,
  initProducerIdRequest,
} from './transactions.ts';
import { writeTxnMarkersRequest } from './write-txn-markers.ts';

const pollMs = 50;
/**
 * Only the time between AddPartitionsToTxn and EndTxn of a fencing has to fit in. A broker refuses what is above its
 * `transaction.max.timeout.ms`: the next one is tried then.
 */
const transactionTimeoutsMs = [60_000, 10_000, 1_000] as const;

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
  let tried = 0;
  const { producerId, producerEpoch } = await atCoordinator(cluster, transactionalId, signal, async (coordinator) => {
    for (;;) {
      const request = initProducerIdRequest(transactionalId, transactionTimeoutsMs[tried] ?? 1_000);
      const answer = await cluster.sendTo(coordinator, 'control', request, { signal });
      if (answer.errorCode !== kafkaError.invalidTransactionTimeout) return answer;
      if (++tried === transactionTimeoutsMs.length) return answer;
    }
  });
  return { producerId, producerEpoch };
}

/** Who is to be shut out: the identity as it was made, which the brokers may have forgotten since. */
export interface FencedProducer extends ProducerIdentity {
  readonly transactionalId: string;
}

/**
 * Raises the producer's epoch and makes it known to each partition by an ABORT marker, then asks the partitions'
 * leaders until each shows it. The mirror's open transactions are aborted behind that: gives how many in which partition
 * (`partitionKey`), each with a marker of its own. Tries until the signal ends it. Source: KIP-98 (fencing), KIP-664.
 *
 * A coordinator forgets a transactional id without transactions after `transactional.id.expiration.ms` (7 days), and
 * would then raise the epoch of a new producer id, which shuts nobody out: the markers are written without it then.
 */
export async function fencePartitions(
  cluster: KafkaCluster,
  producer: FencedProducer,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const { transactionalId, producerId } = producer;
  await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  const raised = await initProducerId(cluster, transactionalId, signal);
  const known = raised.producerId === producerId;
  const fencing = known ? raised : { producerId, producerEpoch: producer.producerEpoch + 1 };
  if (known) await markByCoordinator(cluster, transactionalId, fencing, partitions, signal);
  else await markAtLeaders(cluster, fencing, partitions, signal);
  let waiting: readonly TopicPartition[] = partitions;
  while (waiting.length > 0) {
    const shown = await epochsOf(cluster, fencing.producerId, waiting, signal);
    waiting = waiting.filter((p) => (shown.get(partitionKey(p))?.producerEpoch ?? -1) < fencing.producerEpoch);
    if (waiting.length > 0) await pause(pollMs, signal);
  }
  return shutSlots(cluster, partitions, signal);
}

/**
 * Takes over the transactional ids by which the mirror replays transactions in these partitions: what stands open is
 * aborted. After the mirror's own producer was shut out, since it looks at that whenever it begins to use an id.
 * Gives the ABORT markers that this writes, by `partitionKey`.
 */
async function shutSlots(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const begun = await transactionsIn(cluster, partitions, signal);
  const aborted = new Map<string, number>();
  for (const { transactionalId, key, state } of await mirrorIds(cluster, partitions, begun, signal)) {
    await initProducerId(cluster, transactionalId, signal);
    if (state === 'Ongoing') aborted.set(key, (aborted.get(key) ?? 0) + 1);
  }
  return aborted;
}

async function markByCoordinator(
  cluster: KafkaCluster,
  transactionalId: string,
  fencing: ProducerIdentity,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<void> {
  await atCoordinator(cluster, transactionalId, signal, async (coordinator) => {
    const request = addPartitionsToTxnRequest(transactionalId, fencing, partitions);
    const answers = await cluster.sendTo(coordinator, 'control', request, { signal });
    return { errorCode: failureOf(cluster, 'AddPartitionsToTxn', answers) };
  });
  await atCoordinator(cluster, transactionalId, signal, (coordinator) =>
    cluster.sendTo(coordinator, 'control', endTxnRequest(transactionalId, fencing, 'abort'), { signal }),
  );
}

/** Only where the epoch is not shown yet, so that a repeated fence leaves no second marker. */
async function markAtLeaders(
  cluster: KafkaCluster,
  fencing: ProducerIdentity,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<void> {
  const { producerId, producerEpoch } = fencing;
  for (;;) {
    const shown = await epochsOf(cluster, producerId, partitions, signal);
    const open = partitions.filter((p) => (shown.get(partitionKey(p))?.producerEpoch ?? -1) < producerEpoch);
    const coordinatorEpoch = Math.max(0, ...[...shown.values()].map((p) => p.coordinatorEpoch));
    const marker = { producerId, producerEpoch, coordinatorEpoch, outcome: 'abort' as const };
    const answers = await Promise.all(
      [...Map.groupBy(open, (p) => cluster.leaderOf(p))].map(([node, list]) =>
        cluster.send(node, 'control', writeTxnMarkersRequest(marker, list), { signal }),
      ),
    );
    if (failureOf(cluster, 'WriteTxnMarkers', answers.flat()) === 0) return;
    await pause(pollMs, signal);
    await cluster.refresh([...new Set(partitions.map((p) => p.topic))], signal);
  }
}

/** The first code that says "try again", or 0; any other failure is thrown. */
function failureOf(
  cluster: KafkaCluster,
  call: string,
  answers: readonly (TopicPartition & { readonly errorCode: number })[],
): number {
  const final = answers.find((a) => a.errorCode !== 0 && !isTransient(a.errorCode));
  if (final) throw partitionError(cluster.name, call, final, final.errorCode);
  return answers.find((a) => a.errorCode !== 0)?.errorCode ?? 0;
}

/** What the partitions' leaders know of a producer, by `partitionKey`; absent where they know nothing. */
async function epochsOf(
  cluster: KafkaCluster,
  producerId: bigint,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
) {
  const shown = new Map<string, { readonly producerEpoch: number; readonly coordinatorEpoch: number }>();
  for (const answer of await producersOf(cluster, partitions, signal)) {
    const seen = answer.producers.find((p) => p.producerId === producerId);
    if (seen) shown.set(partitionKey(answer), seen);
  }
  return shown;
}

/** The transactions that stand open in the partitions' logs. */
async function transactionsIn(cluster: KafkaCluster, partitions: readonly TopicPartition[], signal: AbortSignal) {
  return (await producersOf(cluster, partitions, signal)).flatMap(({ topic, partition, producers }) =>
    producers.filter((p) => p.transactionStart >= 0n).map(({ producerId }) => ({ topic, partition, producerId })),
  );
}

async function producersOf(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly PartitionProducers[]> {
  const answers = await describeProducers(cluster, partitions, signal);
  for (const answer of answers) {
    if (answer.errorCode !== 0) throw partitionError(cluster.name, 'DescribeProducers', answer, answer.errorCode);
  }
  return answers;
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
  const message = `${region}: the transactional id ${transactionalId} answered ${errorName(code)}`;
  if (!isDenied(code)) return new ArgusError('KafkaFailed', message);
  return new ArgusError('KafkaDenied', `${message}; ${missingRight('', code, { transactionalId })}`, {
    hint: missingRightHint,
  });
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
