import { expect } from 'vitest';
import { parseConfig } from '../../cli/config/parse.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import type { FlinkJobs } from '../../regions/flink/flink-jobs.ts';
import type { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import type { OrphanRecord } from '../../replication/orphans/orphan-record.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { prepareTopics } from '../../replication/topics/prepare-topics.ts';
import type { OldLogs } from '../../runbooks/failback/context.ts';
import { joinOrphans, openOrphanStore } from '../../runbooks/failback/join-orphans.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';
import type { TestBroker } from './kafka-broker.ts';
import { logEnds, type MirrorPair, messages, type PreparedTopic } from './mirror-pair.ts';

/** A region with its Kafka alone. */
export const kafkaRegion = (name: string, kafka: PlatformaticAdmin, broker: TestBroker): Region => ({
  name,
  address: '127.0.0.1',
  kafka,
  brokers: { name, bootstrap: [broker.address] },
  objects: memoryObjectStore(name),
  flink: {} as FlinkJobs,
});
/** Of one call. */
export const deadline = () => AbortSignal.timeout(60_000);

/** Mirrors until both sides are equal, and gives where that was. */
export async function mirrored(pair: MirrorPair, prepared: PreparedTopic): Promise<readonly bigint[]> {
  const { settings, identity } = prepared;
  const mirror = new Mirror({ ...settings, producer: identity, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await pair.catchesUp(mirror, prepared);
  } finally {
    stopping.abort();
    await running;
  }
  return logEnds(pair.standbyAdmin, prepared.partitions);
}

/** Mirrors in the other direction until the old primary has all that the active side has, or gives the first stop. */
export async function mirrorBack(
  pair: MirrorPair,
  { partitions }: PreparedTopic,
  id: string,
): Promise<string | undefined> {
  const { partitions: ready } = await prepareTopics(
    { name: 'singapore', kafka: pair.standbyAdmin },
    { name: 'mumbai', kafka: pair.primaryAdmin },
    [...new Set(partitions.map((p) => p.topic))],
  );
  const mirror = new Mirror({
    source: { name: 'singapore', bootstrap: [pair.standby.address] },
    target: { name: 'mumbai', bootstrap: [pair.primary.address] },
    partitions: ready,
    producer: await pair.primaryAdmin.initProducer(id),
    clock: wallClock,
  });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  const wanted = await logEnds(pair.standbyAdmin, partitions);
  const stopOf = () =>
    Object.values(mirror.status().topics)
      .flatMap((t) => t.partitions)
      .find((p) => p.stop)?.stop;
  try {
    await expect
      .poll(async () => stopOf()?.detail ?? (await logEnds(pair.primaryAdmin, partitions)).join(), { timeout: 30_000 })
      .toBe(wanted.join());
    return undefined;
  } catch (error) {
    const stop = stopOf();
    if (stop) return `${stop.reason}: ${stop.detail}`;
    throw error;
  } finally {
    stopping.abort();
    await running;
  }
}

/** What a failback asks, for one topic that was promoted in singapore at these ends. */
export function oldLogs(
  pair: MirrorPair,
  { topic, partitions }: PreparedTopic,
  ends: readonly bigint[],
  keepIn: 'topic' | 'files',
  promotion: number,
): { readonly logs: OldLogs; readonly kept: (tp: TopicPartition) => Promise<readonly OrphanRecord[]> } {
  const active = kafkaRegion('singapore', pair.standbyAdmin, pair.standby);
  const old = kafkaRegion('mumbai', pair.primaryAdmin, pair.primary);
  const roles: Roles = {
    epoch: promotion,
    primary: 'singapore',
    standby: 'mumbai',
    replication: 'suspended',
    atMs: 1,
    by: 'me',
    promotedAt: partitions.map((p, i) => ({ ...p, offset: String(ends[i]) })),
  };
  const parts = {
    config: { ...parseConfig(sampleYaml, 'argus.yaml'), topics: [topic] },
    active,
    old,
    state: memoryObjectStore('state'),
  };
  return {
    logs: joinOrphans({ ...parts, clock: wallClock, roles, keepIn, stillMs: 100 }),
    async kept(tp) {
      const store = openOrphanStore(active, keepIn, promotion);
      try {
        return await all(store.read(tp, { region: 'mumbai', promotion }, deadline()));
      } finally {
        store.close();
      }
    },
  };
}

/** Records of the old primary alone: plain ones with headers, and transactions of every outcome. */
export async function leaveBehind(pair: MirrorPair, topic: string): Promise<number> {
  const plain = await pair.newProducer();
  const headers = { trace: 'abc', empty: '' };
  const many = Array.from({ length: 2_500 }, (_, i) => ({ key: `k${i}`, value: `lost-${i}`, partition: 0, headers }));
  await plain.send({ topic, messages: many });
  const committed = await (await pair.newProducer(`committed-${topic}`)).transaction();
  await committed.send({ topic, messages: messages('committed', 3, 0) });
  const aborted = await (await pair.newProducer(`aborted-${topic}`)).transaction();
  await aborted.send({ topic, messages: messages('aborted', 4, 0) });
  await committed.commit();
  await aborted.abort();
  await plain.send({ topic, messages: [{ key: 'gone', value: null, partition: 0 }] });
  // A transaction's marker is written after its answer.
  const ends = async () => (await logEnds(pair.primaryAdmin, [{ topic, partition: 0 }])).join();
  for (let before = ''; before !== (await ends()); await wallClock.sleep(500)) before = await ends();
  return 2_500 + 3 + 4 + 1;
}

/** All that a store of orphans gives. */
export async function all(kept: AsyncIterable<OrphanRecord>): Promise<readonly OrphanRecord[]> {
  const records: OrphanRecord[] = [];
  for await (const record of kept) records.push(record);
  return records;
}
