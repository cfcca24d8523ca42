import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { missingRight, missingRightHint } from './access.ts';
import { type DescribedTransaction, describeTransactionsRequest } from './describe-transactions.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import { featureLevelsRequest } from './feature-levels.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { BrokerAddress } from './metadata.ts';
import type { BatchProducer } from './record-batch.ts';
import {
  addPartitionsToTxnRequest,
  endTxnRaisingEpochRequest,
  endTxnRequest,
  findTransactionCoordinatorRequest,
  initProducerIdRequest,
  type TransactionOutcome,
} from './transactions.ts';

const lanes = 4;
const firstPauseMs = 2;
const lastPauseMs = 50;
/** Longest first; a broker refuses what is above its `transaction.max.timeout.ms` (15 minutes unless set). */
const timeouts = [7 * 24 * 60, 24 * 60, 12 * 60, 6 * 60, 3 * 60, 60, 30, 15, 10, 5, 2, 1].map((min) => min * 60_000);
const undescribed: DescribedTransaction = {
  transactionalId: '',
  errorCode: -1,
  state: '',
  timeoutMs: 0,
  startedAtMs: 0,
  producerId: -1n,
  producerEpoch: -1,
};
/** INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED. */
const lostCodes = [47, 48, 49, 90];

/**
 * The coordinator's calls for transactional ids, tried again while it is busy or moving, up to the patience given.
 * Errors: `TransactionLost` (the coordinator ended it, or another took the id over), `KafkaDenied`, `KafkaFailed`,
 * `KafkaUnreachable`.
 */
export class TransactionCalls {
  readonly #cluster: KafkaCluster;
  readonly #patienceMs: number;
  readonly #coordinators = new Map<string, BrokerAddress>();
  #timeout = 0;
  #raising: Promise<boolean> | undefined;

  constructor(cluster: KafkaCluster, patienceMs: number) {
    this.#cluster = cluster;
    this.#patienceMs = patienceMs;
  }

  /** Raises the id's epoch, and aborts a transaction that it has open. With the longest time-out that the broker takes. */
  async init(id: string): Promise<BatchProducer & { readonly timeoutMs: number }> {
    for (;;) {
      const timeoutMs = timeouts[this.#timeout] ?? 60_000;
      const accept = this.#timeout < timeouts.length - 1 ? [kafkaError.invalidTransactionTimeout] : [];
      const answer = await this.#call('InitProducerId', id, () => initProducerIdRequest(id, timeoutMs), accept);
      if (answer.errorCode === kafkaError.none) {
        return { producerId: answer.producerId, producerEpoch: answer.producerEpoch, timeoutMs };
      }
      this.#timeout++;
    }
  }

  /** Takes a partition into the id's transaction, which begins by it. May be repeated. */
  async add(id: string, producer: BatchProducer, tp: TopicPartition): Promise<void> {
    await this.#call('AddPartitionsToTxn', id, () => {
      const request = addPartitionsToTxnRequest(id, producer, [tp]);
      return { ...request, read: (bytes: Buffer) => request.read(bytes)[0] ?? { errorCode: -1 } };
    });
  }

  /**
   * Ends the id's transaction; the marker follows the answer. Gives the producer for the next one: where the standby
   * speaks the second transaction protocol its epoch is raised, which shuts out what comes late. Repeating it with the
   * same outcome does no harm.
   */
  async end(id: string, producer: BatchProducer, outcome: TransactionOutcome): Promise<BatchProducer> {
    if (!(await this.raisesEpochs())) {
      await this.#call('EndTxn', id, () => endTxnRequest(id, producer, outcome));
      return producer;
    }
    const { producerId, producerEpoch } = await this.#call('EndTxn', id, () =>
      endTxnRaisingEpochRequest(id, producer, outcome),
    );
    return { producerId, producerEpoch };
  }

  /** Whether the cluster has agreed on the second transaction protocol (KIP-890). Asked once. */
  raisesEpochs(): Promise<boolean> {
    this.#raising ??= this.#cluster
      .ask(() => featureLevelsRequest())
      .then(({ levels }) => (levels.get('transaction.version') ?? 0) >= 2)
      .catch((error: unknown) => {
        this.#raising = undefined;
        throw error;
      });
    return this.#raising;
  }

  /** What the coordinator knows of the id; undefined when it never heard of it, or may not tell. */
  async describe(id: string): Promise<DescribedTransaction | undefined> {
    const make = () => {
      const request = describeTransactionsRequest([id]);
      return { ...request, read: (bytes: Buffer) => request.read(bytes)[0] ?? undescribed };
    };
    const answer = await this.#call('DescribeTransactions', id, make, [
      kafkaError.transactionalIdNotFound,
      kafkaError.transactionalIdAuthorizationFailed,
    ]);
    return answer.errorCode === kafkaError.none ? answer : undefined;
  }

  async #call<T extends { readonly errorCode: number }>(
    name: string,
    id: string,
    make: () => KafkaRequest<T>,
    accept: readonly number[] = [],
  ): Promise<T> {
    const until = performance.now() + this.#patienceMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(lastPauseMs, pauseMs * 2)) {
      const { answer, errorCode } = await this.#attempt(id, make);
      if (answer && (errorCode === kafkaError.none || accept.includes(errorCode))) return answer;
      if (!isTransient(errorCode) || performance.now() > until) throw refused(this.#cluster.name, name, id, errorCode);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** The answer, or only the code with which no coordinator was found. */
  async #attempt<T extends { readonly errorCode: number }>(
    id: string,
    make: () => KafkaRequest<T>,
  ): Promise<{ readonly answer?: T; readonly errorCode: number }> {
    let coordinator = this.#coordinators.get(id);
    if (!coordinator) {
      const found = await this.#cluster.ask(() => findTransactionCoordinatorRequest(id));
      if (found.errorCode !== kafkaError.none) return { errorCode: found.errorCode };
      coordinator = found.address;
      this.#coordinators.set(id, coordinator);
    }
    const answer = await this.#cluster.sendTo(coordinator, laneOf(id), make(), {});
    const { errorCode } = answer;
    const busy = errorCode === kafkaError.concurrentTransactions;
    // Another broker may have taken over: asked anew, unless it only is not ready yet.
    if (errorCode !== kafkaError.none && !busy) this.#coordinators.delete(id);
    return { answer, errorCode };
  }
}

/** A broker answers one request of a connection after the other, and each of these waits for its disk. */
function laneOf(id: string): string {
  return `transactions ${spread(id, lanes)}`;
}

/** One of so many, always the same for a name. */
export function spread(name: string, among: number): number {
  let sum = 0;
  for (let at = 0; at < name.length; at++) sum += name.charCodeAt(at);
  return sum % among;
}

function refused(region: string, call: string, id: string, code: number): ArgusError {
  const message = `${region}: ${call} of the transactional id ${id} answered ${errorName(code)}`;
  if (lostCodes.includes(code)) {
    return new ArgusError('TransactionLost', message, {
      hint: 'the standby ended the transaction (its time-out passed), or a failover shut the mirror out',
    });
  }
  if (!isDenied(code)) return new ArgusError('KafkaFailed', message, { retryable: isTransient(code) });
  const right = missingRight(call, code, { transactionalId: id });
  return new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
}
