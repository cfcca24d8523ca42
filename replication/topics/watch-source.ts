import { describeError } from '../../domain/errors.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { type PartitionState, seeSource, setAside, type Trouble } from './partition-state.ts';
import type { Fail, SessionContext } from './session-context.ts';

const lookMs = 200;
const staleMs = 1_000;

/**
 * Keeps the source's log ends fresh where no fetch does (stopped partitions, those held back), and looks after the
 * partitions that were set aside. Resolves with `renew` when one of those is back: only a new session takes it up.
 */
export async function watchSource(context: SessionContext, signal: AbortSignal, fail: Fail): Promise<'renew' | 'over'> {
  const { source, states, clock } = context;
  let side: Trouble['side'] = 'source';
  try {
    while (!signal.aborted) {
      side = 'source';
      const now = clock.monotonic();
      const stale = states.filter(
        (s) => !s.trouble && (s.sourceSeenAt === undefined || now - s.sourceSeenAt > staleMs),
      );
      if (stale.length > 0) {
        const { offsets, failures } = await source.listEnds(stale, signal);
        context.onAnswer('source');
        for (const s of stale) {
          const end = offsets.get(s.key);
          if (end !== undefined) seeSource(s, s.sourceStart, end, clock.monotonic());
          else
            setAside(
              s,
              'source',
              describeError(failures.get(s.key)),
              clock.monotonic(),
              failures.get(s.key)?.retryable,
            );
        }
      }
      for (side of ['target', 'source'] as const) {
        const due = states.filter((s) => s.trouble?.side === side && s.trouble.retryAt <= clock.monotonic());
        if (due.length > 0 && (await anyIsBack(context, side, due, signal))) return 'renew';
      }
      await clock.sleep(lookMs, signal);
    }
  } catch (error) {
    fail(side, error);
  }
  return 'over';
}

/** Looks at partitions that were set aside, and puts off the next look at those that are not back. */
async function anyIsBack(
  context: SessionContext,
  side: Trouble['side'],
  due: readonly PartitionState[],
  signal: AbortSignal,
): Promise<boolean> {
  const { clock } = context;
  const cluster = context.openLook(side);
  try {
    await cluster.refresh([...new Set(due.map((s) => s.topic))], signal);
    const { offsets, failures } = await cluster.listEnds(due, signal);
    context.onAnswer(side);
    const answering = due.filter((s) => offsets.has(s.key));
    const problems = new Map([...failures].map(([key, failure]) => [key, failure.message]));
    if (side === 'source')
      for (const [key, why] of await unreadable(cluster, answering, signal)) problems.set(key, why);
    for (const s of due) {
      const why = problems.get(s.key);
      if (why !== undefined) setAside(s, side, why, clock.monotonic(), failures.get(s.key)?.retryable);
    }
    return due.some((s) => !problems.has(s.key));
  } finally {
    cluster.close();
  }
}

/** Which partitions refuse a fetch, and why. An offset out of range is no refusal: a new session decides about it. */
async function unreadable(
  cluster: KafkaCluster,
  states: readonly PartitionState[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const problems = new Map<string, string>();
  for (const [node, list] of Map.groupBy(states, (s) => cluster.leaderOf(s))) {
    const positions = list.map((s) => ({
      topic: s.topic,
      partition: s.partition,
      offset: s.fetchFrom,
      maxBytes: 1,
    }));
    const request = fetchRequest(positions, { maxWaitMs: 0, maxBytes: 1 });
    for (const answer of await cluster.send(node, 'control', request, { signal })) {
      const { errorCode } = answer;
      if (errorCode === kafkaError.none || errorCode === kafkaError.offsetOutOfRange) continue;
      problems.set(
        `${answer.topic}-${answer.partition}`,
        partitionError(cluster.name, 'Fetch', answer, errorCode).message,
      );
    }
  }
  return problems;
}
