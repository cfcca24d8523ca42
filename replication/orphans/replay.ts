import type { LogRange, TopicPartition } from '../../domain/offsets.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type BatchProducer, patchForProduce, sequenceAfter } from '../../regions/kafka/record-batch.ts';
import { decodeBody, encodeBody } from '../../regions/kafka/record-body.ts';
import { decodeRecords, encodeBatch } from '../../regions/kafka/record-codec.ts';
import { walkBatches } from '../topics/walk-batches.ts';
import type { OrphanRecord, RescueOrigin } from './orphan-record.ts';
import { codecFor, sendBatch } from './send-batch.ts';

/** The header by which a replayed orphan is known in the live topic: `<roles epoch of the promotion>/<old offset>`. */
const header = Buffer.from('argus.replayed');

/** The active side's live topics. */
export interface LiveSide {
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'logRanges' | 'initProducer'>;
  readonly brokers: KafkaEndpoint;
}

export interface ReplayOptions {
  readonly origin: RescueOrigin;
  /** Where the live partition ended before its first orphan was replayed. */
  readonly from: bigint;
  /** The largest batch that the live topic takes. */
  readonly maxBatchBytes: number;
  /** Throws when nothing may be written any more. */
  readonly mayAct: () => void;
  readonly signal: AbortSignal;
}

const requestTimeoutMs = 10_000;
const batchRecords = 500;
const batchBytes = 400 * 1024;
/** What the header takes that tells a replayed record, generously. */
const headerBytes = 64;

/**
 * Whether an orphan is put into the live topic: what its readers would have seen. Not what the active side had once, nor
 * what stood in a transaction that nobody committed. Pure.
 */
export function isReplayable({ reason, transaction }: Pick<OrphanRecord, 'reason' | 'transaction'>): boolean {
  return reason === 'orphan' && (transaction === 'none' || transaction === 'committed');
}

/**
 * Whether replayed records may be gone from the live log, by retention or compaction: then not finding them does not
 * tell that they were never written. `from`: where the partitions ended before the first replay. Pure.
 */
export function mayBeGone(
  from: readonly { readonly partition: number; readonly offset: bigint }[],
  live: readonly Pick<LogRange, 'partition' | 'logStartOffset'>[],
  cleanupPolicy: string | undefined,
): boolean {
  if (cleanupPolicy?.includes('compact')) return true;
  return live.some(
    (r) => r.logStartOffset > (from.find((f) => f.partition === r.partition)?.offset ?? r.logStartOffset),
  );
}

/** Writes orphans into live topics, by a producer of its own, each once: what is there already is looked for first. */
export async function openReplay(side: LiveSide, transactionalId: string, signal: AbortSignal) {
  const cluster = new KafkaCluster({
    ...side.brokers,
    clientId: 'argus-replay',
    connectTimeoutMs: requestTimeoutMs,
    requestTimeoutMs,
  });
  const producer: BatchProducer = await side.kafka.initProducer(transactionalId, { signal });

  /** The old offset of the newest orphan of this origin that the live partition holds; they were replayed in order. */
  async function newest(tp: TopicPartition, options: ReplayOptions): Promise<bigint | undefined> {
    await cluster.refresh([tp.topic], options.signal);
    const [range] = await side.kafka.logRanges([tp], { signal: options.signal });
    const from = range && range.logStartOffset > options.from ? range.logStartOffset : options.from;
    if (range === undefined || from >= range.logEndOffset) return undefined;
    let found: bigint | undefined;
    for await (const batch of walkBatches(cluster, tp, { from, to: range.logEndOffset }, options.signal)) {
      if (batch.control) continue;
      for (const { body } of decodeRecords(batch)) found = replayedOffset(body, options.origin) ?? found;
    }
    return found;
  }

  return {
    /** Writes what the live partition lacks of these orphans, in order; gives how many it wrote. */
    async replay(tp: TopicPartition, orphans: AsyncIterable<OrphanRecord>, options: ReplayOptions): Promise<number> {
      const last = await newest(tp, options);
      let sequence = 0;
      let written = 0;
      let batch: OrphanRecord[] = [];
      let bytes = 0;
      const flush = async () => {
        if (batch.length === 0) return;
        const encoded = encodeBatch(
          batch.map((record, i) => ({
            offset: BigInt(i),
            timestampMs: record.timestampMs,
            attributes: 0,
            body: replayedBody(record, options.origin),
          })),
          { codec: codecFor(batch), stampedByBroker: false, transactional: false, producerId: producer.producerId },
        );
        patchForProduce(encoded, producer, sequence);
        options.mayAct();
        await sendBatch(cluster, tp, encoded.bytes, options.signal);
        sequence = sequenceAfter(sequence, batch.length);
        written += batch.length;
        batch = [];
        bytes = 0;
      };
      const limit = Math.min(batchBytes, options.maxBatchBytes / 2);
      for await (const record of orphans) {
        if (!isReplayable(record) || (last !== undefined && record.offset <= last)) continue;
        if (batch.length >= batchRecords || (batch.length > 0 && bytes + record.body.length > limit)) await flush();
        batch.push(record);
        bytes += record.body.length + headerBytes;
      }
      await flush();
      return written;
    },
    close: () => cluster.close(),
  };
}

/** The body of a replayed orphan: as it was, with the header that tells it. */
export function replayedBody(record: Pick<OrphanRecord, 'body' | 'offset'>, { promotion }: RescueOrigin): Buffer {
  const { key, value, headers } = decodeBody(record.body);
  const told = { name: header, value: Buffer.from(`${promotion}/${record.offset}`) };
  return encodeBody({ key, value, headers: [...headers, told] });
}

/** The old offset of a replayed orphan of this origin; undefined for any other record. */
export function replayedOffset(body: Buffer, { promotion }: RescueOrigin): bigint | undefined {
  // Cheap for all the records that nobody replayed.
  if (!body.includes(header)) return undefined;
  const told = decodeBody(body).headers.at(-1);
  const [of, offset] = told?.name.equals(header) ? (told.value?.toString().split('/') ?? []) : [];
  return of === String(promotion) && offset !== undefined && /^\d+$/.test(offset) ? BigInt(offset) : undefined;
}
