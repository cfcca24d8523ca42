import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { markerOutcome, type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';
import type { Stop } from './continuity.ts';
import type { SessionContext } from './session-context.ts';

/** A broker holds an empty answer back so long; who asks meanwhile waits for that. */
const maxWaitMs = 5;
/** A marker takes less than a hundred bytes. */
const roomBytes = 1_024;
const answerBytes = 32 * 1024 * 1024;

interface Waiting extends TopicPartition {
  readonly offset: bigint;
  maxBytes: number;
  readonly resolve: (batch: RecordBatch | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Waits for what the standby's log will hold at an offset: one fetch a broker for all partitions that wait, which the
 * broker answers when something arrives. So a marker is seen as it stands there, not only a log that grew.
 */
export class MarkerWatch {
  readonly #context: SessionContext;
  /** By the leader's node id, then by `partitionKey`. */
  readonly #waiting = new Map<number, Map<string, Waiting>>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The batch at `offset`, once it is there; undefined when `forget` came first. One at a time for each partition. */
  at(tp: TopicPartition, offset: bigint): Promise<RecordBatch | undefined> {
    const node = this.#context.target.leaderOf(tp);
    return new Promise((resolve, reject) => {
      const { topic, partition } = tp;
      const entry: Waiting = { topic, partition, offset, maxBytes: roomBytes, resolve, reject };
      const known = this.#waiting.get(node);
      if (known) {
        known.set(partitionKey(tp), entry);
        return;
      }
      const waiting = new Map([[partitionKey(tp), entry]]);
      this.#waiting.set(node, waiting);
      void this.#watch(node, waiting);
    });
  }

  /** Waits no longer for a partition. */
  forget(tp: TopicPartition): void {
    for (const waiting of this.#waiting.values()) {
      waiting.get(partitionKey(tp))?.resolve(undefined);
      waiting.delete(partitionKey(tp));
    }
  }

  async #watch(node: number, waiting: Map<string, Waiting>): Promise<void> {
    const { target } = this.#context;
    try {
      while (waiting.size > 0) {
        const request = fetchRequest([...waiting.values()], { maxWaitMs, maxBytes: answerBytes });
        for (const answer of await target.send(node, 'markers', request)) {
          const key = partitionKey(answer);
          const entry = waiting.get(key);
          if (!entry || isTransient(answer.errorCode)) continue;
          if (answer.errorCode !== kafkaError.none) {
            waiting.delete(key);
            entry.reject(partitionError(target.name, 'Fetch', answer, answer.errorCode));
            continue;
          }
          const found = batchAt(answer.records, entry.offset);
          if (found) {
            waiting.delete(key);
            entry.resolve(found);
          } else if (answer.records.length > 0) {
            entry.maxBytes = answerBytes;
          }
        }
      }
    } catch (error) {
      for (const entry of waiting.values()) entry.reject(error);
      waiting.clear();
    } finally {
      if (this.#waiting.get(node) === waiting) this.#waiting.delete(node);
    }
  }
}

/** Whether it is the marker that a transaction of this producer was ended with; undefined when it is. Pure. */
export function markerStop(
  batch: RecordBatch,
  wanted: { readonly offset: bigint; readonly producerId: bigint; readonly outcome: TransactionOutcome },
): Stop | undefined {
  const { baseOffset, producerId } = batch;
  const outcome = markerOutcome(batch);
  if (baseOffset === wanted.offset && producerId === wanted.producerId && outcome === wanted.outcome) return undefined;
  const what = batch.control ? `a marker (${outcome ?? 'unknown'}) of producer ${producerId}` : 'a batch of records';
  const detail = `at ${wanted.offset} the standby holds ${what}, where the ${wanted.outcome} of producer ${wanted.producerId} had to be`;
  return { reason: 'ForeignMarker', detail };
}

function batchAt(records: Buffer, offset: bigint): RecordBatch | undefined {
  for (const batch of recordBatches(records)) if (batch.lastOffset >= offset) return batch;
  return undefined;
}
