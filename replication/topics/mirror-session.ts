import { describeError } from '../../domain/errors.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { type FetchedPartition, fetchRequest } from '../../regions/kafka/fetch.ts';
import { isAway, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaConnection } from '../../regions/kafka/kafka-connection.ts';
import { checksumHolds, recordBatches } from '../../regions/kafka/record-batch.ts';
import { malformed } from '../../regions/kafka/wire.ts';
import { alignPartitions } from './align.ts';
import { decideBatch } from './continuity.ts';
import { enqueue, isRunning, type PartitionState, seeSource, setAside, stopBehindQueue } from './partition-state.ts';
import { ProduceLane } from './produce-lane.ts';
import { resume } from './resume.ts';
import { type Fail, type MirrorTuning, type SessionContext, SessionFailure } from './session-context.ts';
import { watchSource } from './watch-source.ts';

/**
 * Mirrors until the signal ends it, a partition that was set aside is back, or a side fails (`SessionFailure`). It
 * begins by asking the standby's log ends, which are its positions, and ends when no batch is in flight any more.
 * Stopped partitions are still watched: their lag grows, and people have to see that.
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
    if (!stopped.aborted) {
      const groups = Map.groupBy(context.states.filter(isRunning), (s) => context.source.leaderOf(s));
      const loops = [...groups].map(([node, states]) => fetchLoop(context, node, states, lane, stopped, fail));
      const watch = watchSource(context, stopped, fail).then((end) => {
        if (end === 'renew') ending.abort();
      });
      await Promise.all([...loops, watch, alignPartitions(context, stopped)]);
    }
  } finally {
    context.source.close();
    await lane.settled();
    context.target.close();
  }
  if (failure) throw failure;
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
  let turn = 0;
  try {
    const connection = await context.source.connection(node, 'fetch', signal);
    while (!signal.aborted) {
      const running = states.filter(isRunning);
      if (running.length === 0) return;
      const room = lane.full ? [] : running.filter((s) => s.bufferedBytes < tuning.partitionBufferBytes);
      // A broker fills its answer in the order of the request, and only the first batch comes whole when it is large.
      const open = inTurn(room, turn++);
      if (open.length === 0) {
        lane.pump();
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
        if (state && isRunning(state)) takeFetched(context, state, answer);
      }
      lane.pump();
      const pauseMs = tuning.fetchPaceMs - (clock.now() - sentAtMs);
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    }
  } catch (error) {
    // A request that got no answer was sent when the source was already away.
    const timedOut = clock.now() - sentAtMs >= tuning.requestTimeoutMs;
    const elsewhere = context.states.some((s) => isRunning(s) && !states.includes(s));
    // One broker of several: the others go on, and `watchSource` finds out who leads these partitions next.
    if (isAway(error) && elsewhere && !signal.aborted) {
      for (const s of states) if (isRunning(s)) setAside(s, 'source', error.message, clock.monotonic(), true);
    } else fail('source', error, timedOut ? sentAtMs : clock.now());
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

function inTurn<T>(items: readonly T[], turn: number): readonly T[] {
  const at = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** Queues what was fetched of one partition, stops it, or sets it aside. What a new session has to decide throws. */
function takeFetched(context: SessionContext, state: PartitionState, fetched: FetchedPartition): void {
  const { source, clock } = context;
  if (fetched.errorCode !== kafkaError.none) {
    const error = partitionError(source.name, 'Fetch', fetched, fetched.errorCode);
    if (fetched.errorCode === kafkaError.offsetOutOfRange) throw error;
    setAside(state, 'source', error.message, clock.monotonic());
    return;
  }
  seeSource(state, fetched.logStartOffset, fetched.highWatermark, clock.monotonic());
  try {
    for (const batch of recordBatches(fetched.records)) {
      const decision = decideBatch(state.fetchFrom, batch);
      if (decision.kind === 'skip') continue;
      if ((batch.transactional || batch.control) && !context.tuning.replayTransactions) {
        const what = batch.control ? 'a transaction marker' : 'transactional records';
        stopBehindQueue(state, { reason: 'TransactionalNotSupported', detail: `${what} at ${batch.baseOffset}` });
        return;
      }
      if (decision.kind === 'stop') {
        stopBehindQueue(state, decision.stop);
        return;
      }
      if (!checksumHolds(batch.bytes))
        throw malformed(`the checksum of the batch at ${batch.baseOffset} does not hold`);
      enqueue(state, batch);
    }
  } catch (error) {
    doubt(state, describeError(error));
  }
}

/** The first time the same offset is fetched again, since it may have been damaged on the way. */
function doubt(state: PartitionState, detail: string): void {
  if (state.doubtAt === state.fetchFrom) stopBehindQueue(state, { reason: 'CorruptBatch', detail });
  state.doubtAt = state.fetchFrom;
}
