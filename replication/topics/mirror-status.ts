import type { Stop } from './continuity.ts';
import type { PartitionState } from './partition-state.ts';

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
  readonly state: 'mirroring' | 'stopped';
  readonly stop: Stop | undefined;
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
  readonly lagRecords: number;
  /** 0 when nothing is missing; else by the timestamps of both sides, or up to now while the newest is not fetched. */
  readonly lagMs: number;
}

export interface TopicStatus {
  /** Written to the source, over the last 10 s seen. */
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly lagRecords: number;
  readonly lagMs: number;
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
  state.samples.push({ at, end: state.sourceEnd });
  while (state.samples.length > 2 && at - (state.samples[0]?.at ?? at) > rateWindowMs) state.samples.shift();
}

/** The status of the topics, in order of partitions. */
export function topicStatuses(states: readonly PartitionState[], nowMs: number): Readonly<Record<string, TopicStatus>> {
  const topics: Record<string, TopicStatus> = {};
  for (const [topic, list] of Map.groupBy(states, (s) => s.topic)) {
    const partitions = list.map((s) => partitionStatus(s, nowMs));
    topics[topic] = {
      recordsPerSecond: sum(list.map(recordsPerSecond)),
      bytesPerSecond: sum(list.map((s) => recordsPerSecond(s) * s.bytesPerRecord)),
      lagRecords: sum(partitions.map((p) => p.lagRecords)),
      lagMs: Math.max(0, ...partitions.map((p) => p.lagMs)),
      partitions,
    };
  }
  return topics;
}

function partitionStatus(state: PartitionState, nowMs: number): PartitionStatus {
  const lag = state.sourceEnd - state.mirroredEnd;
  return {
    partition: state.partition,
    state: state.stop ? 'stopped' : 'mirroring',
    stop: state.stop,
    logStartOffset: state.sourceStart,
    logEndOffset: state.sourceEnd,
    mirroredEndOffset: state.mirroredEnd,
    newestTimestampMs: state.newestTimestampMs,
    mirroredTimestampMs: state.mirroredTimestampMs,
    lagRecords: lag > 0n ? Number(lag) : 0,
    lagMs: lag > 0n ? lagMs(state, nowMs) : 0,
  };
}

function lagMs(state: PartitionState, nowMs: number): number {
  if (state.mirroredTimestampMs === undefined) return 0;
  const fetchedAll = state.fetchFrom >= state.sourceEnd;
  const newest = fetchedAll ? (state.newestTimestampMs ?? nowMs) : nowMs;
  return Math.max(0, newest - state.mirroredTimestampMs);
}

function recordsPerSecond(state: PartitionState): number {
  const first = state.samples[0];
  const last = state.samples.at(-1);
  if (!first || !last || last.at <= first.at) return 0;
  return (Number(last.end - first.end) * 1_000) / (last.at - first.at);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
