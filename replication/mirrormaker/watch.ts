import type { Clock } from '../../domain/clock.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { partitionKey } from '../../domain/offsets.ts';
import type { ConnectCluster } from '../../regions/connect/connect-rest.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { heartbeatsTopic, type MirrorMakerFlow, standbyTopic, syncsTopic } from './flow.ts';
import type { MirrorMakerSight, PartitionSight } from './health.ts';
import { recordsIn } from './log-pieces.ts';
import { rangesToSee, type Translation, translateOffset } from './offset-map.ts';
import {
  logBounds,
  newestHeartbeat,
  reachesBackTo,
  readSyncsBack,
  seePieces,
  syncsOf,
  type TimedSync,
} from './read-log.ts';

/** Both sides of a flow, and how they are reached. */
export interface MirrorMakerSides {
  readonly flow: MirrorMakerFlow;
  readonly source: KafkaEndpoint;
  readonly target: KafkaEndpoint;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A partition's tail behind its newest sync is counted up to here. */
const tailBytes = 1024 * 1024;
/** Of each log, to prove that each record between two syncs was written once. */
const proofBytes = 64 * 1024 * 1024;

/** Looks at connectors, syncs, heartbeats and the source's logs; changes nothing. A side that can't be asked throws. */
export async function sightMirrorMaker(
  sides: MirrorMakerSides,
  options: {
    readonly connect: ConnectCluster;
    readonly connectors: readonly string[];
    readonly partitions: readonly TopicPartition[];
    readonly stalledAfterMs: number;
  },
): Promise<MirrorMakerSight> {
  const { flow, signal, clock } = sides;
  const { partitions, stalledAfterMs } = options;
  const connectors = await Promise.all(
    options.connectors.map(async (name) => ({ name, status: await options.connect.status(name, { signal }) })),
  );
  return withClusters(sides, async (source, target) => {
    const syncs = await readSyncsBack(target, syncsTopic(flow), (seen) => namesAll(seen, partitions), signal);
    const newest = new Map(syncs.map((s) => [partitionKey(s), s]));
    const aliases = { sourceAlias: flow.source.alias, targetAlias: flow.target.alias };
    const heartbeat = await newestHeartbeat(target, heartbeatsTopic, aliases, signal);
    await source.refresh([...new Set(partitions.map((p) => p.topic))], signal);
    const ends = await source.logEnds(partitions, signal);
    const seen: PartitionSight[] = [];
    for (const p of partitions) {
      const last = newest.get(partitionKey(p));
      const sourceEnd = ends.get(partitionKey(p)) ?? 0n;
      const missing = last && (await countBehind(source, p, last.upstream + 1n, sourceEnd, signal));
      seen.push({ topic: p.topic, partition: p.partition, sourceEnd, newest: last, missing });
    }
    return { connectors, partitions: seen, heartbeat, nowMs: clock.now(), stalledAfterMs };
  });
}

function namesAll(syncs: readonly TimedSync[], partitions: readonly TopicPartition[]): boolean {
  const named = new Set(syncs.map(partitionKey));
  return partitions.every((p) => named.has(partitionKey(p)));
}

/** Records in [from, end); undefined where that can't be told without reading much. */
async function countBehind(
  source: KafkaCluster,
  partition: TopicPartition,
  from: bigint,
  end: bigint,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  if (from >= end) return 0n;
  // As on a copy: a marker is no record; what a transaction's records become is not asked here.
  const pieces = await seePieces(source, partition, 'copy', { from, to: end }, tailBytes, signal);
  return recordsIn(pieces, from, end);
}

/**
 * Where a reader of the source that would go on at this offset has to go on, on the standby. Reads the logs between the
 * syncs where these alone don't prove it; when the source can't be asked, they have to.
 */
export async function translateSourceOffset(
  sides: MirrorMakerSides,
  partition: TopicPartition,
  upstreamOffset: bigint,
): Promise<Translation> {
  const { flow, signal } = sides;
  return withClusters(sides, async (source, target) => {
    const reaches = (seen: readonly TimedSync[]) => reachesBackTo(seen, partition, upstreamOffset);
    const syncs = syncsOf(await readSyncsBack(target, syncsTopic(flow), reaches, signal), partition);
    const copy = { topic: standbyTopic(flow, partition.topic), partition: partition.partition };
    const bounds = await logBounds(target, copy, signal);
    const standby = { logStartOffset: bounds?.from ?? 0n, logEndOffset: bounds?.to ?? 0n };
    const bySyncs = translateOffset(upstreamOffset, { syncs, standby });
    const ranges = rangesToSee(upstreamOffset, syncs);
    if (bySyncs.kind === 'exact' || bySyncs.code !== 'Unproven' || !ranges) return bySyncs;
    let seen: Parameters<typeof translateOffset>[1]['seen'];
    try {
      await source.refresh([partition.topic], signal);
      seen = {
        source: await seePieces(source, partition, 'source', ranges.source, proofBytes, signal),
        copy: await seePieces(target, copy, 'copy', ranges.copy, proofBytes, signal),
      };
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      return { ...bySyncs, why: `${bySyncs.why} (${why})` };
    }
    return translateOffset(upstreamOffset, { syncs, standby, seen });
  });
}

async function withClusters<T>(
  { source, target }: MirrorMakerSides,
  act: (source: KafkaCluster, target: KafkaCluster) => Promise<T>,
): Promise<T> {
  const options = { clientId: 'argus-mirrormaker', connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };
  const clusters = [source, target].map((endpoint) => new KafkaCluster({ ...endpoint, ...options }));
  try {
    return await act(...(clusters as [KafkaCluster, KafkaCluster]));
  } finally {
    for (const cluster of clusters) cluster.close();
  }
}
