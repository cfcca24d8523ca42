import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { type DescribedTransaction, describeTransactionsRequest, endingStates } from './describe-transactions.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { transactionalIdOf } from './mirror-transactions.ts';

/** One of the mirror's transactional ids, as its coordinator knows it. */
export interface MirrorId extends TopicPartition {
  readonly transactionalId: string;
  /** `partitionKey` of the partition that it is for. */
  readonly key: string;
  readonly state: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly startedAtMs: number;
}

interface Asked {
  readonly id: string;
  readonly tp: TopicPartition;
  readonly slot: number | 'fill';
}

const transactionLog = '__transaction_state';
const idsInRequest = 2_000;
const patienceMs = 10_000;
const pauseMs = 50;
/** Coordinators forget ids that were not used for long, so a later one may be open behind one that nobody knows. */
const searchedSlots = 16;

/**
 * The mirror's transactional ids for these partitions, open or not. Every broker is asked for them by name, since one
 * that has just started would leave them out of a list. `begun`: open transactions of the partitions, whose ids are looked
 * for where they are none of the first. A coordinator that stays silent is `KafkaFailed`, retryable.
 */
export async function mirrorIds(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  begun: readonly (TopicPartition & { readonly producerId: bigint })[],
  signal: AbortSignal,
): Promise<readonly MirrorId[]> {
  const asked = (tp: TopicPartition, slot: number | 'fill'): Asked => ({ id: transactionalIdOf(tp, slot), tp, slot });
  const found = new Map<string, MirrorId>();
  const ask = (entries: readonly Asked[]) => askUntilTold(cluster, entries, found, signal);
  for (let next = partitions.flatMap((p) => [asked(p, 0), asked(p, 'fill')]); next.length > 0; ) {
    await ask(next);
    // Ids are taken from the lowest on.
    next = next.flatMap(({ id, tp, slot }) => (slot !== 'fill' && found.has(id) ? [asked(tp, slot + 1)] : []));
  }
  const known = new Set([...found.values()].map((i) => `${i.key} ${i.producerId}`));
  const unexplained = begun.filter((t) => !known.has(`${partitionKey(t)} ${t.producerId}`));
  const searched = new Map(unexplained.map((t) => [partitionKey(t), t]));
  const rest = [...searched.values()].flatMap((tp) => Array.from({ length: searchedSlots }, (_, n) => asked(tp, n)));
  await ask(rest.filter(({ id }) => !found.has(id)));
  return [...found.values()];
}

/** Its marker is still to come. */
export const isUnfinished = ({ state }: Pick<MirrorId, 'state'>): boolean =>
  state === 'Ongoing' || state.startsWith('Prepare');

async function askUntilTold(
  cluster: KafkaCluster,
  entries: readonly Asked[],
  found: Map<string, MirrorId>,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + patienceMs;
  for (let pending = entries; pending.length > 0; ) {
    const { brokers, topics } = await cluster.refresh([transactionLog], signal);
    // No transactional id was ever used: no broker will call itself its coordinator.
    if (topics.get(transactionLog)?.errorCode === kafkaError.unknownTopicOrPartition) return;
    const answers = await describeEverywhere(cluster, [...brokers.keys()], pending, signal);
    pending = pending.filter(({ id, tp: { topic, partition } }) => {
      const answer = answers.get(id);
      const decision = decideSlot(answer);
      if (decision === 'refused') {
        const what = `DescribeTransactions of ${id} answered ${errorName(answer?.errorCode ?? -1)}`;
        throw new ArgusError('KafkaFailed', `${cluster.name}: ${what}`);
      }
      // One that is being ended is told as it is: whoever ends it waits for its marker.
      if (!answer || (decision === 'wait' && answer.errorCode !== 0)) return true;
      if (decision === 'unknown') return false;
      const { transactionalId, state, producerId, producerEpoch, startedAtMs } = answer;
      const key = partitionKey({ topic, partition });
      found.set(id, { transactionalId, topic, partition, key, state, producerId, producerEpoch, startedAtMs });
      return false;
    });
    if (pending.length === 0) return;
    if (performance.now() > until) {
      const what = `the transactional id ${pending[0]?.id} has no coordinator that is ready`;
      throw new ArgusError('KafkaFailed', `${cluster.name}: ${what}`, { retryable: true });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    signal.throwIfAborted();
  }
}

/**
 * What an answer for one of the mirror's ids means; pure. `unknown`: the coordinator never heard of it, or nothing may
 * be told of it, and then the mirror couldn't have used it. `wait`: no coordinator has answered, or its marker is still
 * to come.
 */
export function decideSlot(
  answer: Pick<DescribedTransaction, 'errorCode' | 'state'> | undefined,
): 'open' | 'ended' | 'unknown' | 'wait' | 'refused' {
  if (!answer || isTransient(answer.errorCode)) return 'wait';
  if (answer.errorCode === kafkaError.transactionalIdNotFound || isDenied(answer.errorCode)) return 'unknown';
  if (answer.errorCode !== kafkaError.none) return 'refused';
  if (endingStates.includes(answer.state)) return 'wait';
  return answer.state === 'Ongoing' ? 'open' : 'ended';
}

/** What the ids' coordinators answer; absent where only brokers answered that aren't. */
export async function describeEverywhere(
  cluster: KafkaCluster,
  nodes: readonly number[],
  entries: readonly { readonly id: string }[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DescribedTransaction>> {
  const answers = new Map<string, DescribedTransaction>();
  const ask = async (node: number) => {
    for (let from = 0; from < entries.length; from += idsInRequest) {
      const ids = entries.slice(from, from + idsInRequest).map((e) => e.id);
      for (const answer of await cluster.send(node, 'control', describeTransactionsRequest(ids), { signal })) {
        if (answer.errorCode !== kafkaError.notCoordinator) answers.set(answer.transactionalId, answer);
      }
    }
  };
  await Promise.all(nodes.map(ask));
  return answers;
}
