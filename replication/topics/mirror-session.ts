import { describeError } from '../../domain/errors.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import type { FetchedPartition } from '../../regions/kafka/fetch.ts';
import { partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { checksumHolds, recordBatches } from '../../regions/kafka/record-batch.ts';
import { malformed } from '../../regions/kafka/wire.ts';
import { alignPartitions } from './align.ts';
import { decideBatch } from './continuity.ts';
import { fetchFromBroker } from './fetch-loop.ts';
import { enqueue, isRunning, type PartitionState, seeSource, setAside, stopBehindQueue } from './partition-state.ts';
import { ProduceLane } from './produce-lane.ts';
import { resume } from './resume.ts';
import { type SessionContext, SessionFailure } from './session-context.ts';
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
      const take = (state: PartitionState, fetched: FetchedPartition) => {
        takeFetched(context, state, fetched);
        lane.offer(state);
      };
      const loops = [...groups].map(([node, states]) =>
        fetchFromBroker(node, { context, states, lane, take, signal: stopped }, fail),
      );
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
      if (decision.kind === 'stop') {
        stopBehindQueue(state, decision.stop);
        return;
      }
      if (!checksumHolds(batch.bytes))
        throw malformed(`the checksum of the batch at ${batch.baseOffset} does not hold`);
      // One with holes is split when its turn comes: its pieces take much more memory.
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
