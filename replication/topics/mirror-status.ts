import type { Stop } from './continuity.ts';
import type { PartitionState } from './partition-state.ts';
import type { Slot } from './transaction-slots.ts';

/** Whether the mirror reaches one side. */
export interface SideStatus {
  readonly region: string;
  readonly reachable: boolean;
  /** The last answer, or attempt; undefined before the first. */
  readonly checkedAtMs: number | undefined;
  /** The first failure since the last answer. For a request that timed out it is the time of its sending. */
  readonly firstFailureAtMs: number | undefined;
  readonly error: string | undefined;
}

export interface PartitionStatus {
  readonly partition: number;
  /** `waiting`: it can't be mirrored for now, and is looked at again; `trouble` says why. */
  readonly state: 'mirroring' | 'waiting' | 'stopped';
  readonly stop: Stop | undefined;
  readonly trouble: string | undefined;
  /** While it waits: its log on the standby is brought to the source's log start, which is this. */
  readonly alignsTo?: bigint;
  /** Those of the source that stand open on the standby too; absent without any. */
  readonly openTransactions?: OpenTransactions;
  /** What was put into holes of the source's log since this mirror began; absent while nothing was. */
  readonly filled?: { readonly records: number; readonly markers: number };
  /** The source's offsets below are real: they were seen since this mirror began. */
  readonly seen: boolean;
  /** Of the source, as last seen. */
  readonly logStartOffset: bigint;
  /** Of the source, as last seen: its high watermark. */
  readonly logEndOffset: bigint;
  /** The standby's log end, as acknowledged. */
  readonly mirroredEndOffset: bigint;
  /** Of the newest record fetched from the source; undefined while none was seen. */
  readonly newestTimestampMs: number | undefined;
  /** Of the newest record on the standby; undefined while none was seen. */
  readonly mirroredTimestampMs: number | undefined;
  /** Undefined while nobody can tell: the source is away, or can't be asked about this partition. */
  readonly lagRecords: number | undefined;
  /**
   * 0 when nothing is missing; else by the timestamps of both sides, or up to now while the newest is not fetched.
   * Undefined as above, and while the standby has no record to count from.
   */
  readonly lagMs: number | undefined;
}

export interface OpenTransactions {
  readonly count: number;
  /** Of the oldest. */
  readonly firstOffset: bigint;
  readonly ageMs: number;
  /** After which the standby aborts it on its own, and the partition can't be mirrored any more. */
  readonly timeoutMs: number;
  /** More than half of that has passed. */
  readonly late: boolean;
}

export interface TopicStatus {
  /** Written to the source, over the last 10 s seen; undefined until it was looked at twice. */
  readonly recordsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Undefined when that of a partition is. */
  readonly lagRecords: number | undefined;
  readonly lagMs: number | undefined;
  readonly partitions: readonly PartitionStatus[];
}

/** What the mirror knows, at one instant. Plain data (offsets are bigint). */
export interface MirrorStatus {
  readonly atMs: number;
  readonly phase: 'connecting' | 'mirroring' | 'frozen';
  readonly source: SideStatus;
  readonly target: SideStatus;
  readonly topics: Readonly<Record<string, TopicStatus>>;
}

const rateWindowMs = 10_000;

/** Notes the source's log end for the rates. Call it about once a second while the source answers. */
export function sampleRate(state: PartitionState, at: number): void {
  if (state.sourceSeenAt === undefined) return;
  const [before, last] = [state.samples.at(-2), state.samples.at(-1)];
  // While nothing is written two are enough; of thousands of idle partitions none shall fill memory.
  if (before && last && before.end === last.end && last.end === state.sourceEnd) last.at = at;
  else state.samples.push({ at, end: state.sourceEnd });
  while (state.samples.length > 2 && at - (state.samples[0]?.at ?? at) > rateWindowMs) state.samples.shift();
}

/** The status of the topics, in order of partitions. `sourceReachable`: lags are as of now. */
export function topicStatuses(
  states: readonly PartitionState[],
  nowMs: number,
  sourceReachable: boolean,
): Readonly<Record<string, TopicStatus>> {
  const topics: Record<string, TopicStatus> = {};
  for (const [topic, list] of Map.groupBy(states, (s) => s.topic)) {
    const partitions = list.map((s) => partitionStatus(s, nowMs, sourceReachable));
    const lags = partitions.map((p) => p.lagMs);
    topics[topic] = {
      recordsPerSecond: sum(list.map(recordsPerSecond)),
      bytesPerSecond: sum(list.map(bytesPerSecond)),
      lagRecords: sum(partitions.map((p) => p.lagRecords)),
      lagMs: lags.includes(undefined) ? undefined : Math.max(0, ...lags.map((ms) => ms ?? 0)),
      partitions,
    };
  }
  return topics;
}

function partitionStatus(state: PartitionState, nowMs: number, sourceReachable: boolean): PartitionStatus {
  const seen = state.sourceSeenAt !== undefined;
  const known = seen && sourceReachable && state.trouble === undefined;
  const lag = state.sourceEnd - state.mirroredEnd;
  return {
    partition: state.partition,
    state: state.stop ? 'stopped' : state.trouble ? 'waiting' : 'mirroring',
    stop: state.stop,
    trouble: state.trouble?.why,
    ...(state.alignment ? { alignsTo: state.alignment.to } : {}),
    ...openTransactions(state, nowMs),
    ...(state.filled.records + state.filled.markers > 0 ? { filled: { ...state.filled } } : {}),
    seen,
    logStartOffset: state.sourceStart,
    logEndOffset: state.sourceEnd,
    mirroredEndOffset: state.mirroredEnd,
    newestTimestampMs: state.newestTimestampMs,
    mirroredTimestampMs: state.mirroredTimestampMs,
    lagRecords: known ? (lag > 0n ? Number(lag) : 0) : undefined,
    lagMs: known ? (lag > 0n ? lagMs(state, nowMs) : 0) : undefined,
  };
}

function openTransactions(state: PartitionState, nowMs: number): Pick<PartitionStatus, 'openTransactions'> {
  const open = state.slots.filter((s) => s.open?.sourceProducerId !== undefined);
  const since = (slot: Slot) => slot.open?.sinceMs ?? nowMs;
  const oldest = open.toSorted((a, b) => since(a) - since(b))[0];
  if (!oldest?.open) return {};
  const ageMs = Math.max(0, nowMs - oldest.open.sinceMs);
  const { timeoutMs } = oldest;
  const { firstOffset } = oldest.open;
  return { openTransactions: { count: open.length, firstOffset, ageMs, timeoutMs, late: ageMs > timeoutMs / 2 } };
}

function lagMs(state: PartitionState, nowMs: number): number | undefined {
  if (state.mirroredTimestampMs === undefined) return undefined;
  const fetchedAll = state.fetchFrom >= state.sourceEnd;
  const newest = fetchedAll ? (state.newestTimestampMs ?? nowMs) : nowMs;
  return Math.max(0, newest - state.mirroredTimestampMs);
}

function recordsPerSecond(state: PartitionState): number | undefined {
  const first = state.samples[0];
  const last = state.samples.at(-1);
  if (!first || !last || last.at <= first.at) return undefined;
  return (Number(last.end - first.end) * 1_000) / (last.at - first.at);
}

function bytesPerSecond(state: PartitionState): number | undefined {
  const records = recordsPerSecond(state);
  return records === undefined ? undefined : records * state.bytesPerRecord;
}

/** Undefined when one of them is. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
}
