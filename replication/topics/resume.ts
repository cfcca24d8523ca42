import type { ArgusError } from '../../domain/errors.ts';
import type { KafkaCluster, ListedOffsets } from '../../regions/kafka/kafka-cluster.ts';
import { decideAlignment, withPlaceholders } from './align-plan.ts';
import { compareTails } from './compare-tails.ts';
import { decideSameTail, decideStart } from './continuity.ts';
import { lastBatches } from './last-batches.ts';
import { lostTails } from './lost-tails.ts';
import { awaitAlignment, type PartitionState, setAside } from './partition-state.ts';
import type { ProduceLane } from './produce-lane.ts';
import { openSlots, takeUp } from './resume-transactions.ts';
import type { Fail, SessionContext } from './session-context.ts';
import { type LogAtRest, logsAtRest } from './standby-producers.ts';
import { decideTailMarkers, tailMarkers } from './tail-markers.ts';

/**
 * Asks both sides where they are, and decides for each partition how it goes on. One that can't be asked is set aside,
 * by name; only a side that can't be reached ends the session.
 */
export async function resume(
  context: SessionContext,
  lane: ProduceLane,
  signal: AbortSignal,
  fail: Fail,
): Promise<void> {
  const { source, target, clock, states } = context;
  const topics = [...new Set(states.map((s) => s.topic))];
  let side: 'source' | 'target' = 'target';
  const begunAtMs = clock.now();
  for (const s of states) forget(s);
  try {
    const { brokers } = await target.refresh(topics, signal);
    const wanted = states.filter((s) => !s.stop);
    const slots = await openSlots(context, [...brokers.keys()], wanted, signal);
    const { logs, failures } = await logsAtRest(context, wanted, signal);
    const standbyEnds = known(wanted, 'target', { offsets: endsOf(logs), failures }, clock.monotonic());
    const standbyStarts = known(wanted, 'target', await target.listStarts(wanted, signal), clock.monotonic());
    const served = wanted.filter((s) => !s.trouble);
    await lane.open(served, signal);
    context.onAnswer('target');
    for (const s of served) s.mirroredEnd = standbyEnds.get(s.key) ?? 0n;

    side = 'source';
    await source.refresh(topics, signal);
    const starts = known(states, 'source', await source.listStarts(states, signal), clock.monotonic());
    const ends = known(states, 'source', await source.listEnds(states, signal), clock.monotonic());
    for (const s of states) seeLog(s, starts.get(s.key), ends.get(s.key), clock.monotonic());
    context.onAnswer('source');
    const live = served.filter((s) => !s.trouble);
    const lost = await lostTails(context, live, signal);
    const atSource = await tails(source, live, ends, standbyEnds, signal);
    side = 'target';
    const byKey = new Map(live.map((s) => [s.key, s]));
    const denied = (key: string, error: ArgusError) => {
      const state = byKey.get(key);
      if (state) setAside(state, 'target', error.message, clock.monotonic());
    };
    const atStandby = await lastBatches(target, live, standbyEnds, signal, denied);
    const markers = await tailMarkers(context, live, atStandby, signal);
    const otherTails = await compareTails(context, live, atSource.same, atStandby, markers, signal);
    const ranges = { starts: standbyStarts, ends: standbyEnds };
    const unaligned = await withPlaceholders(target, live, ranges, atStandby, signal);
    for (const s of live) {
      const alignment = decideAlignment({
        standbyStart: standbyStarts.get(s.key) ?? 0n,
        standbyEnd: s.mirroredEnd,
        sourceStart: s.sourceStart,
        placeholders: unaligned.has(s.key),
      });
      if (alignment.kind !== 'none') {
        if (alignment.kind === 'stop') s.stop = alignment.stop;
        else awaitAlignment(s, alignment.to);
        continue;
      }
      s.newestTimestampMs = atSource.newest.get(s.key)?.maxTimestampMs ?? s.newestTimestampMs;
      const mirroredMs = atStandby.get(s.key)?.maxTimestampMs ?? -1;
      // Placeholders have no time.
      if (mirroredMs >= 0) s.mirroredTimestampMs = mirroredMs;
      s.fetchFrom = s.mirroredEnd;
      s.sendFrom = s.mirroredEnd;
      const { mirroredEnd: standbyEnd, sourceStart, sourceEnd } = s;
      const decision = decideStart({ standbyEnd, sourceStart, sourceEnd });
      const tail = lost.get(s.key);
      if (tail) s.stop = tail;
      else if (decision.kind === 'stop') s.stop = decision.stop;
      else s.stop = decideSameTail(atSource.same.get(s.key), atStandby.get(s.key)) ?? otherTails.get(s.key);
      const log = logs.get(s.key);
      const open = slots.get(s.key);
      if (s.stop || !log || !open) continue;
      if (open.unclear) setAside(s, 'target', open.unclear, clock.monotonic(), true);
      else await takeUp(context, s, log, open.ids, signal);
      if (s.trouble) continue;
      const run = markers.get(s.key) ?? [];
      s.stop ??= decideTailMarkers(run, openSourceProducers(s));
    }
  } catch (error) {
    fail(side, error, begunAtMs);
  }
}

function forget(state: PartitionState): void {
  state.queue = [];
  state.bufferedBytes = 0;
  state.inFlight = 0;
  state.busy = false;
  state.unsure = false;
  state.nextSequence = undefined;
  state.slots = [];
  state.filler = undefined;
  state.pendingStop = undefined;
  state.trouble = undefined;
  state.alignment = undefined;
}

/** The source's producers whose transactions stand open on the standby, with their first offset. */
function openSourceProducers({ slots }: PartitionState): ReadonlyMap<bigint, bigint> {
  const open = new Map<bigint, bigint>();
  for (const slot of slots) {
    if (slot.open?.sourceProducerId !== undefined) open.set(slot.open.sourceProducerId, slot.open.firstOffset);
  }
  return open;
}

function endsOf(logs: ReadonlyMap<string, LogAtRest>): ReadonlyMap<string, bigint> {
  return new Map([...logs].map(([key, log]) => [key, log.end]));
}

/** The offsets that are known; partitions without one are set aside. */
function known(
  states: readonly PartitionState[],
  side: 'source' | 'target',
  { offsets, failures }: ListedOffsets,
  at: number,
): ReadonlyMap<string, bigint> {
  for (const s of states) {
    const failure = failures.get(s.key);
    if (failure && !s.trouble) setAside(s, side, failure.message, at, failure.retryable);
  }
  return offsets;
}

/** Takes over what the source holds, also where that is less than before: a session begins with the truth. */
function seeLog(state: PartitionState, start: bigint | undefined, end: bigint | undefined, at: number): void {
  if (start === undefined || end === undefined) return;
  // A rate over a log that went back would be negative.
  if (end < state.sourceEnd) state.samples = [];
  state.sourceStart = start;
  state.sourceEnd = end;
  state.sourceSeenAt = at;
}

/** The source's newest batch of each partition, and the one that it has where the standby's log ends. */
async function tails(
  source: KafkaCluster,
  live: readonly PartitionState[],
  ends: ReadonlyMap<string, bigint>,
  standbyEnds: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
) {
  const newest = await lastBatches(source, live, ends, signal);
  const behind = live.filter((s) => standbyEnds.get(s.key) !== ends.get(s.key));
  const elsewhere = await lastBatches(source, behind, standbyEnds, signal);
  return { newest, same: new Map([...newest, ...behind.map((s) => [s.key, elsewhere.get(s.key)] as const)]) };
}
