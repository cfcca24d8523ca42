import type { TopicPartition } from '../../domain/offsets.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { markerOutcome, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';
import { walkBatches } from '../topics/walk-batches.ts';

/** A transaction as one partition of the standby's log shows it. */
export interface LoggedTransaction {
  /** Of its first record here; the same as on the primary. */
  readonly firstOffset: bigint;
  /** Exclusive. */
  readonly endOffset: bigint;
  /** Below the mirror's end. */
  readonly records: number;
  readonly outcome: TransactionOutcome | 'open';
  /** Undefined while it is open. */
  readonly markerOffset: bigint | undefined;
}

/** Which part of a partition is looked at. */
export interface SinkLogRange extends TopicPartition {
  /** Nothing that was open at this offset began before it. */
  readonly from: bigint;
  /** Where the mirror ends, exclusive: records above are not of the primary; markers above end what began below. */
  readonly to: bigint;
  /** From here on records outside transactions are counted. */
  readonly plainFrom: bigint;
}

/** What a sink's partition holds on the standby. */
export interface SinkLog extends SinkLogRange {
  /** In the order of their first records. */
  readonly transactions: readonly LoggedTransaction[];
  readonly plainRecords: number;
}

/** What the standby's log holds of sinks. */
export interface SinkLogReader {
  /** Reads these parts; undefined when that took too long. Errors: those of `KafkaCluster`. */
  read(ranges: readonly SinkLogRange[], signal: AbortSignal): Promise<readonly SinkLog[] | undefined>;
}

/** As much of a failover's time as this may take. */
const patienceMs = 20_000;
const timeoutMs = 5_000;

/** Reads the logs of one region, with connections of its own for each call. */
export function sinkLogReader(brokers: KafkaEndpoint): SinkLogReader {
  return {
    async read(ranges, signal) {
      if (ranges.length === 0) return [];
      const cluster = new KafkaCluster({
        ...brokers,
        clientId: 'argus',
        connectTimeoutMs: timeoutMs,
        requestTimeoutMs: timeoutMs,
      });
      const soon = AbortSignal.timeout(patienceMs);
      const stop = AbortSignal.any([signal, soon]);
      try {
        await cluster.refresh([...new Set(ranges.map((r) => r.topic))], stop);
        const ends = await cluster.logEnds(ranges, stop);
        const logs: SinkLog[] = [];
        for (const range of ranges) {
          const fold = foldSinkLog(range);
          const to = ends.get(`${range.topic}-${range.partition}`) ?? range.to;
          for await (const batch of walkBatches(cluster, range, { from: range.from, to }, stop)) {
            if (!fold.add(batch, markerOutcome(batch))) break;
          }
          logs.push(fold.result());
        }
        return logs;
      } catch (error) {
        signal.throwIfAborted();
        if (soon.aborted) return undefined;
        throw error;
      } finally {
        cluster.close();
      }
    },
  };
}

/** What of a batch counts here. */
type FoldedBatch = Pick<
  RecordBatch,
  'baseOffset' | 'lastOffset' | 'recordCount' | 'producerId' | 'transactional' | 'control'
>;

/**
 * The transactions of a part of a log from its batches in their order. Pure. `add` gives false when what is left can't
 * change the result.
 */
export function foldSinkLog(range: SinkLogRange): {
  /** `outcome`: of a marker. */
  add(batch: FoldedBatch, outcome: TransactionOutcome | undefined): boolean;
  result(): SinkLog;
} {
  const open = new Map<bigint, { firstOffset: bigint; endOffset: bigint; records: number }>();
  const ended: LoggedTransaction[] = [];
  let plainRecords = 0;
  return {
    add(batch, outcome) {
      const { producerId } = batch;
      if (batch.control) {
        const begun = open.get(producerId);
        if (begun !== undefined && outcome !== undefined) {
          open.delete(producerId);
          ended.push({ ...begun, outcome, markerOffset: batch.baseOffset });
        }
      } else if (batch.baseOffset < range.to) {
        const endOffset = batch.lastOffset + 1n;
        if (batch.transactional) {
          const begun = open.get(producerId) ?? { firstOffset: batch.baseOffset, endOffset, records: 0 };
          open.set(producerId, { ...begun, endOffset, records: begun.records + batch.recordCount });
        } else if (batch.baseOffset >= range.plainFrom) plainRecords += batch.recordCount;
      }
      return batch.lastOffset + 1n < range.to || open.size > 0;
    },
    result() {
      const still = [...open.values()].map((t) => ({ ...t, outcome: 'open' as const, markerOffset: undefined }));
      const transactions = [...ended, ...still].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
      return { ...range, transactions, plainRecords };
    },
  };
}
