import { ArgusError } from '../../domain/errors.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { type FetchedPartition, fetchRequest } from '../../regions/kafka/fetch.ts';
import { partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { checksumHolds, type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';
import { decideBatch, decideStart } from './continuity.ts';
import { newestTimestamps } from './newest-timestamps.ts';
import { enqueue, type PartitionState, seeSource } from './partition-state.ts';
import { ProduceLane } from './produce-lane.ts';
import { type MirrorTuning, type SessionContext, SessionFailure } from './session-context.ts';

/**
 * Mirrors until the signal ends it, nothing is left to do, or a side fails (`SessionFailure`). It begins by asking the
 * standby's log ends, which are its positions, and ends when no batch is in flight any more.
 */
export async function runSession(context: SessionContext, signal: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const stopped = AbortSignal.any([signal, ending.signal]);
  let failure: SessionFailure | undefined;
  const fail = (side: 'source' | 'target', cause: unknown, atMs = context.clock.now()) => {
    if (!stopped.aborted) failure = new SessionFailure(side, cause, atMs);
    ending.abort(failure);
  };
  const lane = new ProduceLane(context, stopped, (cause) => fail('target', cause));
  try {
    await resume(context, lane, stopped, fail);
    const running = context.states.filter((s) => !s.stop);
    if (!stopped.aborted && running.length > 0) {
      const groups = Map.groupBy(running, (s) => context.source.leaderOf(s));
      const loops = [...groups].map(([node, states]) => fetchLoop(context, node, states, lane, stopped, fail));
      await Promise.all([...loops, watchEnds(context, stopped, fail)]);
    }
  } finally {
    context.source.close();
    await lane.settled();
    context.target.close();
  }
  if (failure) throw failure;
}

type Fail = (side: 'source' | 'target', cause: unknown, atMs?: number) => void;

/** Asks both sides where they are, and decides for each partition how it goes on. */
async function resume(context: SessionContext, lane: ProduceLane, signal: AbortSignal, fail: Fail): Promise<void> {
  const { source, target, clock } = context;
  const states = context.states.filter((s) => !s.stop);
  if (states.length === 0) return;
  const topics = [...new Set(context.states.map((s) => s.topic))];
  let side: 'source' | 'target' = 'target';
  const begunAtMs = clock.now();
  try {
    await target.refresh(topics, signal);
    const standbyEnds = await target.logEnds(states, signal);
    await lane.open(states, signal);
    context.onAnswer('target');
    for (const s of states) s.mirroredEnd = standbyEnds.get(s.key) ?? 0n;
    side = 'source';
    await source.refresh(topics, signal);
    const starts = await source.logStarts(states, signal);
    const ends = await source.logEnds(states, signal);
    context.onAnswer('source');
    const newest = await newestTimestamps(source, states, ends, signal);
    side = 'target';
    const mirrored = await newestTimestamps(target, states, standbyEnds, signal);
    for (const s of states) {
      s.sourceStart = starts.get(s.key) ?? 0n;
      s.sourceEnd = ends.get(s.key) ?? 0n;
      s.sourceSeenAt = clock.monotonic();
      s.newestTimestampMs = newest.get(s.key) ?? s.newestTimestampMs;
      s.mirroredTimestampMs = mirrored.get(s.key) ?? s.mirroredTimestampMs;
      begin(s);
    }
  } catch (error) {
    fail(side, error, begunAtMs);
  }
}

function begin(state: PartitionState): void {
  const { mirroredEnd: standbyEnd, sourceStart, sourceEnd } = state;
  const decision = decideStart({ standbyEnd, sourceStart, sourceEnd });
  state.queue = [];
  state.bufferedBytes = 0;
  state.inFlight = 0;
  state.unsure = false;
  state.fetchFrom = standbyEnd;
  if (decision.kind === 'stop') state.stop = decision.stop;
}

/** Fetches the partitions that one broker of the source leads, and hands them to the lane. */
async function fetchLoop(
  context: SessionContext,
  node: number,
  states: readonly PartitionState[],
  lane: ProduceLane,
  signal: AbortSignal,
  fail: Fail,
): Promise<void> {
  const { tuning, clock } = context;
  let sentAtMs = clock.now();
  try {
    const connection = await context.source.connection(node, 'fetch', signal);
    while (!signal.aborted) {
      const running = states.filter((s) => !s.stop);
      if (running.length === 0) return;
      const open = lane.full ? [] : running.filter((s) => s.bufferedBytes < tuning.partitionBufferBytes);
      if (open.length === 0) {
        await lane.room();
        continue;
      }
      sentAtMs = clock.now();
      // Partitions that are held back want to be asked again as soon as they have room.
      const waitMs = open.length < running.length ? 20 : tuning.maxWaitMs;
      const answers = await fetchOnce(connection, open, waitMs, tuning, signal);
      context.onAnswer('source');
      const byKey = new Map(states.map((s) => [s.key, s]));
      for (const answer of answers) {
        const state = byKey.get(`${answer.topic}-${answer.partition}`);
        if (state && !state.stop) takeFetched(context, state, answer);
      }
      lane.pump();
      const pauseMs = tuning.fetchPaceMs - (clock.now() - sentAtMs);
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    }
  } catch (error) {
    // A request that got no answer was sent when the source was already away.
    const timedOut = clock.now() - sentAtMs >= tuning.requestTimeoutMs;
    fail('source', error, timedOut ? sentAtMs : clock.now());
  }
}

function fetchOnce(
  connection: KafkaConnection,
  states: readonly PartitionState[],
  maxWaitMs: number,
  tuning: MirrorTuning,
  signal: AbortSignal,
): Promise<readonly FetchedPartition[]> {
  const maxBytes = tuning.partitionMaxBytes;
  const positions = states.map((s) => ({ topic: s.topic, partition: s.partition, offset: s.fetchFrom, maxBytes }));
  const request = fetchRequest(positions, { maxWaitMs, maxBytes: tuning.fetchMaxBytes });
  return connection.send(request, { timeoutMs: tuning.requestTimeoutMs + maxWaitMs, signal });
}

/** Queues what was fetched of one partition, or stops it. Anything that the next session will see better throws. */
function takeFetched(context: SessionContext, state: PartitionState, fetched: FetchedPartition): void {
  if (fetched.errorCode !== kafkaError.none) {
    throw partitionError(context.source.name, 'Fetch', fetched, fetched.errorCode);
  }
  seeSource(state, fetched.logStartOffset, fetched.highWatermark, context.clock.monotonic());
  for (const batch of recordBatches(fetched.records)) {
    const decision = decideBatch(state.fetchFrom, batch);
    if (decision.kind === 'skip') continue;
    if (decision.kind === 'stop') {
      state.stop = decision.stop;
      return;
    }
    if (!checksumHolds(batch.bytes)) {
      stopAtSecondCorruption(context, state, batch);
      return;
    }
    enqueue(state, batch);
  }
}

/** The first time the batch is fetched again, since it may have been damaged on the way. */
function stopAtSecondCorruption(context: SessionContext, state: PartitionState, batch: RecordBatch): void {
  const detail = `the checksum of the batch at ${batch.baseOffset} does not hold`;
  if (state.doubtAt !== batch.baseOffset) {
    state.doubtAt = batch.baseOffset;
    throw new ArgusError('KafkaMalformed', `${context.source.name}: ${state.key}: ${detail}`, { retryable: true });
  }
  state.stop = { reason: 'CorruptBatch', detail };
}

/** Keeps the source's log ends fresh where no fetch does: stopped partitions, and those held back. */
async function watchEnds(context: SessionContext, signal: AbortSignal, fail: Fail): Promise<void> {
  const { source, states, clock } = context;
  try {
    while (!signal.aborted && states.some((s) => !s.stop)) {
      const now = clock.monotonic();
      const stale = states.filter((s) => s.sourceSeenAt === undefined || now - s.sourceSeenAt > 1_000);
      if (stale.length > 0) {
        const ends = await source.logEnds(stale, signal);
        for (const s of stale) seeSource(s, s.sourceStart, ends.get(s.key) ?? s.sourceEnd, clock.monotonic());
      }
      await clock.sleep(1_000, signal);
    }
  } catch (error) {
    fail('source', error);
  }
}
