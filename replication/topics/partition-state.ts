import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { leaderEpochOf, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import type { Stop } from './continuity.ts';
import type { Slot } from './transaction-slots.ts';

/** Why a partition can't be mirrored for now, and when to look again. Nobody has to act on the mirror's side. */
export interface Trouble {
  readonly side: 'source' | 'target';
  readonly why: string;
  /** Monotonic. */
  readonly retryAt: number;
}

/** What the mirror knows of one partition. Changed in place, by the session that mirrors it. */
export interface PartitionState extends TopicPartition {
  readonly key: string;
  stop: Stop | undefined;
  /** Becomes the stop once all that was fetched before it is on the standby. */
  pendingStop: Stop | undefined;
  trouble: Trouble | undefined;
  /** It is set aside until its log begins where the source's does. */
  alignment: { readonly to: bigint } | undefined;
  /** The pause after the last trouble; 0 since something was mirrored. */
  troublePauseMs: number;
  /** The next offset to fetch: everything before is on the standby, in flight or queued. */
  fetchFrom: bigint;
  /** The next offset to send: everything before is on the standby or in flight. */
  sendFrom: bigint;
  /** The standby's log end, as acknowledged. */
  mirroredEnd: bigint;
  sourceStart: bigint;
  sourceEnd: bigint;
  /** The leader epoch of the batch that was read last; undefined while this process has read none. */
  readEpoch: number | undefined;
  /** When the source's offsets were seen last, monotonic; undefined before the first time. */
  sourceSeenAt: number | undefined;
  newestTimestampMs: number | undefined;
  mirroredTimestampMs: number | undefined;
  /** Fetched and not sent yet, in order. */
  queue: RecordBatch[];
  /** Queued and in flight. */
  bufferedBytes: number;
  inFlight: number;
  /** A transaction begins or ends, or a hole is filled: nothing else of it is sent meanwhile. */
  busy: boolean;
  /** What the partition expects of the mirror's producer; undefined while it takes any. */
  nextSequence: number | undefined;
  /** The mirror's transactional ids that this session has used, or found open. */
  slots: Slot[];
  /** The one for holes. */
  filler: Slot | undefined;
  /** What this mirror has put into holes. */
  filled: { records: number; markers: number };
  /** An answer left open what the standby has: nothing is sent until its log end was asked. */
  unsure: boolean;
  /** Up to here batches were sent whose fate is unknown: below this log end they may still be appended. */
  unansweredTo: bigint;
  /** Where a sequence or a checksum was refused once; at the second time it is a stop. */
  doubtAt: bigint | undefined;
  /** Running mean over the batches fetched. */
  bytesPerRecord: number;
  /** The source's log end over the last seconds, oldest first. */
  samples: { at: number; readonly end: bigint }[];
}

/** A partition of which nothing is known yet. */
export function newPartitionState(tp: TopicPartition): PartitionState {
  return {
    topic: tp.topic,
    partition: tp.partition,
    key: partitionKey(tp),
    stop: undefined,
    pendingStop: undefined,
    trouble: undefined,
    alignment: undefined,
    troublePauseMs: 0,
    fetchFrom: 0n,
    sendFrom: 0n,
    mirroredEnd: 0n,
    sourceStart: 0n,
    sourceEnd: 0n,
    readEpoch: undefined,
    sourceSeenAt: undefined,
    newestTimestampMs: undefined,
    mirroredTimestampMs: undefined,
    queue: [],
    bufferedBytes: 0,
    inFlight: 0,
    busy: false,
    nextSequence: undefined,
    slots: [],
    filler: undefined,
    filled: { records: 0, markers: 0 },
    unsure: false,
    unansweredTo: 0n,
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
  state.readEpoch = leaderEpochOf(batch) ?? state.readEpoch;
  state.newestTimestampMs = newer(state.newestTimestampMs, batch.maxTimestampMs);
  const mean = batch.bytes.length / Math.max(1, batch.recordCount);
  state.bytesPerRecord += (mean - state.bytesPerRecord) * (state.bytesPerRecord === 0 ? 1 : 0.05);
}

const firstTroublePauseMs = 200;
const lastTroublePauseMs = 10_000;
/** For what passes by itself: a broker that restarts, a leader that moves. */
const lastPassingPauseMs = 1_000;

/** Leaves a partition alone for a while, longer each time until something of it is mirrored again. */
export function setAside(state: PartitionState, side: Trouble['side'], why: string, at: number, passing = false): void {
  const longest = passing ? lastPassingPauseMs : lastTroublePauseMs;
  state.troublePauseMs = Math.min(longest, Math.max(firstTroublePauseMs, state.troublePauseMs * 2));
  state.trouble = { side, why, retryAt: at + state.troublePauseMs };
}

/** Leaves a partition alone until it begins at `to`, as the source does; nothing else looks after it meanwhile. */
export function awaitAlignment(state: PartitionState, to: bigint): void {
  state.alignment = { to };
  const why = `it is brought to the source's log start ${to}`;
  state.trouble = { side: 'target', why, retryAt: Number.POSITIVE_INFINITY };
}

/** Forgets what is queued; what is in flight stays counted. */
export function dropQueue(state: PartitionState): void {
  for (const batch of state.queue) state.bufferedBytes -= batch.bytes.length;
  state.queue = [];
}

/** Mirrors a partition no further, at once. */
export function stopNow(state: PartitionState, stop: Stop): void {
  state.stop = stop;
  state.pendingStop = undefined;
  dropQueue(state);
}

/** Mirrors a partition no further than what was fetched of it. */
export function stopBehindQueue(state: PartitionState, stop: Stop): void {
  if (state.queue.length === 0 && state.inFlight === 0 && !state.busy) stopNow(state, stop);
  else state.pendingStop = stop;
}

/** Whether more is to be fetched of a partition. */
export function isRunning(state: PartitionState): boolean {
  return !state.stop && !state.pendingStop && !state.trouble;
}

/** Notes that the standby has a batch, and everything before it. */
export function acknowledge(state: PartitionState, batch: RecordBatch): void {
  state.troublePauseMs = 0;
  state.mirroredEnd = batch.lastOffset + 1n;
  // Placeholders have no time.
  if (batch.maxTimestampMs >= 0) state.mirroredTimestampMs = newer(state.mirroredTimestampMs, batch.maxTimestampMs);
}

/** Notes that the standby's log ends at `end` now, by what isn't a batch of the source. */
export function advance(state: PartitionState, end: bigint): void {
  state.troublePauseMs = 0;
  state.mirroredEnd = end;
  state.sendFrom = end;
}

/** Notes that nobody knows whether something up to `end` (exclusive) was appended, or still will be. */
export function leaveOpen(state: PartitionState, end: bigint): void {
  if (end > state.unansweredTo) state.unansweredTo = end;
}

/** The later of two timestamps, either of which may be unknown. */
function newer(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
