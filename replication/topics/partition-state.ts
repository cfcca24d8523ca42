import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import type { Stop } from './continuity.ts';

/** What the mirror knows of one partition. Changed in place, by the session that mirrors it. */
export interface PartitionState extends TopicPartition {
  readonly key: string;
  stop: Stop | undefined;
  /** The next offset to fetch: everything before is on the standby, in flight or queued. */
  fetchFrom: bigint;
  /** The standby's log end, as acknowledged. */
  mirroredEnd: bigint;
  sourceStart: bigint;
  sourceEnd: bigint;
  /** When the source's offsets were seen last, monotonic; undefined before the first time. */
  sourceSeenAt: number | undefined;
  newestTimestampMs: number | undefined;
  mirroredTimestampMs: number | undefined;
  /** Fetched and not sent yet, in order. */
  queue: RecordBatch[];
  /** Queued and in flight. */
  bufferedBytes: number;
  inFlight: number;
  /** An answer left open what the standby has: nothing is sent until its log end was asked. */
  unsure: boolean;
  /** Where a sequence or a checksum was refused once; at the second time it is a stop. */
  doubtAt: bigint | undefined;
  /** Running mean over the batches fetched. */
  bytesPerRecord: number;
  /** The source's log end over the last seconds, oldest first. */
  samples: { readonly at: number; readonly end: bigint }[];
}

/** A partition of which nothing is known yet. */
export function newPartitionState(tp: TopicPartition): PartitionState {
  return {
    topic: tp.topic,
    partition: tp.partition,
    key: partitionKey(tp),
    stop: undefined,
    fetchFrom: 0n,
    mirroredEnd: 0n,
    sourceStart: 0n,
    sourceEnd: 0n,
    sourceSeenAt: undefined,
    newestTimestampMs: undefined,
    mirroredTimestampMs: undefined,
    queue: [],
    bufferedBytes: 0,
    inFlight: 0,
    unsure: false,
    doubtAt: undefined,
    bytesPerRecord: 0,
    samples: [],
  };
}

/** Records what the source's log holds now. An end never goes back within a session: answers may overtake each other. */
export function seeSource(state: PartitionState, start: bigint, end: bigint, at: number): void {
  state.sourceStart = start > state.sourceStart ? start : state.sourceStart;
  state.sourceEnd = end > state.sourceEnd ? end : state.sourceEnd;
  state.sourceSeenAt = at;
}

/** Queues a fetched batch that is the next one. */
export function enqueue(state: PartitionState, batch: RecordBatch): void {
  state.queue.push(batch);
  state.bufferedBytes += batch.bytes.length;
  state.fetchFrom = batch.lastOffset + 1n;
  state.newestTimestampMs = newer(state.newestTimestampMs, batch.maxTimestampMs);
  const mean = batch.bytes.length / batch.recordCount;
  state.bytesPerRecord += (mean - state.bytesPerRecord) * (state.bytesPerRecord === 0 ? 1 : 0.05);
}

/** Notes that the standby has a batch, and everything before it. */
export function acknowledge(state: PartitionState, batch: RecordBatch): void {
  state.mirroredEnd = batch.lastOffset + 1n;
  state.mirroredTimestampMs = newer(state.mirroredTimestampMs, batch.maxTimestampMs);
}

/** The later of two timestamps, either of which may be unknown. */
function newer(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
