import type { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { PartitionProducers } from '../../regions/kafka/describe-producers.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { debugReplica, latest, listOffsetsRequest } from '../../regions/kafka/list-offsets.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import { type BatchProducer, sequenceAfter, sequenceOf } from '../../regions/kafka/record-batch.ts';
import type { Stop } from './continuity.ts';
import type { SessionContext } from './session-context.ts';

type Producer = PartitionProducers['producers'][number];

/** A partition of the standby: its log end, and the producers as they were when that was its end. */
export interface LogAtRest {
  readonly end: bigint;
  readonly producers: readonly Producer[];
}

const rounds = 20;
const pauseMs = 50;

/** A failover shuts the mirror out by a higher epoch of its producer; undefined when none did. */
export function ownEpochStop(producers: readonly Producer[], own: BatchProducer): Stop | undefined {
  const shown = producers.find((p) => p.producerId === own.producerId);
  if (!shown || shown.producerEpoch <= own.producerEpoch) return undefined;
  const detail = `the mirror's producer has epoch ${own.producerEpoch}, the partition knows ${shown.producerEpoch}`;
  return { reason: 'Fenced', detail };
}

/** The sequence that the partition expects of a producer; undefined when it takes any. */
export function expectedSequence(producers: readonly Producer[], own: BatchProducer): number | undefined {
  const shown = producers.find((p) => p.producerId === own.producerId && p.producerEpoch === own.producerEpoch);
  return shown && shown.lastSequence >= 0 ? sequenceAfter(shown.lastSequence, 1) : undefined;
}

/**
 * The standby's log ends with the producers that belong to them, by `partitionKey`, and what could not be asked.
 * Requests of an earlier session may still arrive: an end and a sequence that were read on both sides of one would
 * make a wrong pair, so both are asked until they stay the same and nothing lies beyond the high watermark.
 */
export async function logsAtRest(
  context: SessionContext,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<{ readonly logs: ReadonlyMap<string, LogAtRest>; readonly failures: ReadonlyMap<string, ArgusError> }> {
  const { target, producer, clock } = context;
  const logs = new Map<string, LogAtRest>();
  const failures = new Map<string, ArgusError>();
  const before = new Map<string, string>();
  let open = partitions;
  for (let round = 0; open.length > 0 && round <= rounds; round++) {
    if (round > 0) await clock.sleep(round === 1 ? 1 : pauseMs, signal);
    const listed = await target.listEnds(open, signal);
    for (const [key, failure] of listed.failures) failures.set(key, failure);
    open = open.filter((p) => listed.offsets.has(partitionKey(p)));
    const logEnds = round === 0 ? new Map<string, bigint>() : await endsOfLeaders(target, open);
    for (const answer of await describeProducers(target, open)) {
      const key = partitionKey(answer);
      const { errorCode, producers } = answer;
      if (errorCode !== kafkaError.none) {
        failures.set(key, partitionError(target.name, 'DescribeProducers', answer, errorCode));
        continue;
      }
      const end = listed.offsets.get(key) ?? 0n;
      const seen = fingerprint(end, producers);
      const still = before.get(key) === seen && logEnds.get(key) === end;
      if (still || isPlain(producers, producer, end)) logs.set(key, { end, producers });
      before.set(key, seen);
    }
    open = open.filter((p) => !logs.has(partitionKey(p)) && !failures.has(partitionKey(p)));
  }
  for (const p of open)
    failures.set(partitionKey(p), partitionError(target.name, 'Reading the end', p, kafkaError.requestTimedOut));
  return { logs, failures };
}

/** No transaction stands open, and the mirror's sequence is the log end, as it is while there were only plain records. */
function isPlain(producers: readonly Producer[], own: BatchProducer, end: bigint): boolean {
  if (producers.length === 0) return true;
  if (producers.some((p) => p.transactionStart >= 0n)) return false;
  return expectedSequence(producers, own) === sequenceOf(end);
}

function fingerprint(end: bigint, producers: readonly Producer[]): string {
  const lines = producers.map((p) => `${p.producerId} ${p.producerEpoch} ${p.lastSequence} ${p.transactionStart}`);
  return [end, ...lines.sort()].join('\n');
}

/** The leaders' log ends, also beyond the high watermark. */
async function endsOfLeaders(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, bigint>> {
  const byLeader = Map.groupBy(partitions, (p) => cluster.leaderOf(p));
  const answers = [...byLeader].map(([node, list]) =>
    cluster.send(node, 'control', listOffsetsRequest(list, latest, debugReplica)),
  );
  return new Map((await Promise.all(answers)).flat().map((a) => [partitionKey(a), a.offset]));
}
