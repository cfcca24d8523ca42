import type { Clock } from '../../domain/clock.ts';
import type { Config } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { selectNames } from '../../domain/name-patterns.ts';
import { offsetFromJson, partitionKey } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import { findOvertaken, retirePoint } from '../../replication/checkpoints/retire-overtaken.ts';
import { beginAnew } from '../../replication/orphans/begin-anew.ts';
import { type Divergence, divergedTopics, wantedRanges } from '../../replication/orphans/divergence.ts';
import { lookAtDivergence } from '../../replication/orphans/look.ts';
import { orphanFiles } from '../../replication/orphans/orphan-files.ts';
import type { OrphanStore } from '../../replication/orphans/orphan-store.ts';
import { orphanTopics } from '../../replication/orphans/orphan-topic.ts';
import { oldLog } from '../../replication/orphans/read-range.ts';
import {
  countKept,
  type RescuedPartition,
  rescuePartition,
  verifyPartition,
} from '../../replication/orphans/rescue.ts';
import { allowWrites } from '../../replication/topics/deny-writes.ts';
import { heartbeatConfigs } from '../../replication/topics/heartbeat.ts';
import { standbyConfigs } from '../../replication/topics/prepare-topics.ts';
import { reseedTopic } from '../../replication/topics/reseed.ts';
import { readFollowedTopics } from '../../state/followed-topics.ts';
import type { Rescued } from '../../state/rescued.ts';
import { readRolesOf } from '../../state/roles.ts';
import type { OldLogs, RescueVerdict } from './context.ts';

export interface OrphanParts {
  readonly config: Config;
  /** The active side. */
  readonly active: Region;
  /** The old primary. */
  readonly old: Region;
  readonly state: ObjectStore;
  readonly clock: Clock;
  /** The roles in force, which the promotion wrote. */
  readonly roles: Roles;
  readonly keepIn: Rescued['to'];
  /** How long the old primary's log ends have to stand still; 0: they are not watched. */
  readonly stillMs: number;
}

const requestTimeoutMs = 10_000;

/** The store in which orphans are kept on the active side, whether as topics or as files. */
export function openOrphanStore(active: Region, keepIn: Rescued['to'], promotion: number): OrphanStore {
  return keepIn === 'files' ? orphanFiles(active.objects) : orphanTopics(active, `argus-orphans-${promotion}`);
}

/** What a failback asks of both logs, answered by the real parts. */
export function joinOrphans(parts: OrphanParts): OldLogs {
  const { config, active, old, state, clock, roles, keepIn } = parts;
  const origin = { region: old.name, promotion: roles.epoch };
  const promotedAt = (roles.promotedAt ?? []).map(offsetFromJson);
  const heartbeat = config.mirror.heartbeat.topic;

  async function withLogs<T>(call: (log: KafkaCluster, store: OrphanStore) => Promise<T>): Promise<T> {
    const options = { clientId: 'argus-orphans', connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
    const log = new KafkaCluster({ ...old.brokers, ...options });
    const store = openOrphanStore(active, keepIn, roles.epoch);
    try {
      return await call(log, store);
    } finally {
      log.close();
      store.close();
    }
  }

  /** What is wanted by partition, with where the partition's log ends. */
  const perPartition = (found: readonly Divergence[]) =>
    [...Map.groupBy(wantedRanges(found), partitionKey).values()].map((ranges) => {
      const [{ topic, partition } = { topic: '', partition: 0 }] = ranges;
      const logEnd = found.find((d) => d.topic === topic && d.partition === partition)?.old.to ?? 0n;
      return { tp: { topic, partition }, ranges, logEnd };
    });

  async function noted(signal: AbortSignal) {
    const before = await readRolesOf(state, roles.epoch - 1, { signal });
    return before?.primary === old.name ? readFollowedTopics(state, before.epoch, { signal }) : undefined;
  }

  return {
    describeKept: (topic) => openAndDescribe(active, keepIn, roles.epoch, topic),
    async findDivergence(signal) {
      const { topicPatterns } = config;
      const here = topicPatterns ? [...(await old.kafka.describeTopics(undefined, { signal })).keys()] : [];
      const topics = [...new Set([...config.topics, ...(topicPatterns ? selectNames(here, topicPatterns).names : [])])];
      const options = { topics, promotedAt, known: await noted(signal), stillMs: parts.stillMs, clock, signal };
      return lookAtDivergence(old, active, options);
    },
    rescue: (found, mayAct, progress, signal) =>
      withLogs(async (log, store) => {
        const wanted = perPartition(found);
        const topics = [...new Set(wanted.map(({ tp }) => tp.topic))];
        await log.refresh(topics, signal);
        const there = await old.kafka.describeTopics(topics, { signal });
        const kept = topics.map((topic) => ({ topic, partitions: there.get(topic)?.partitions ?? 1 }));
        mayAct();
        await store.open(kept, signal);
        for (const { tp, ranges, logEnd } of wanted) {
          const onProgress = (n: number) =>
            progress(`${partitionKey(tp)}: ${n} records kept in ${store.describe(tp.topic)}`);
          await rescuePartition({ old: oldLog(log), store, origin, mayAct, onProgress }, tp, ranges, logEnd, signal);
        }
      }),
    checkRescue: (found, signal) =>
      withLogs(async (log, store): Promise<RescueVerdict> => {
        const wanted = perPartition(found);
        await log.refresh([...new Set(wanted.map(({ tp }) => tp.topic))], signal);
        const partitions: RescuedPartition[] = [];
        for (const { tp, ranges, logEnd } of wanted) {
          const check = await verifyPartition({ old: oldLog(log), store, origin }, tp, ranges, logEnd, signal);
          if (check.kind === 'differs') return { ...tp, ...check };
          partitions.push(check.partition);
        }
        return { kind: 'verified', partitions };
      }),
    async countKept(tp, ranges, signal) {
      const store = openOrphanStore(active, keepIn, roles.epoch);
      try {
        return await countKept(tp, ranges, () => store.read(tp, origin, signal));
      } finally {
        store.close();
      }
    },
    async lookForDiverged(found, signal) {
      const suspects = divergedTopics(found);
      const own = (await old.kafka.describeTopics([heartbeat], { signal })).has(heartbeat) ? [heartbeat] : [];
      const options = { promotedAt, known: undefined, stillMs: 0, clock, signal };
      const now = suspects.length === 0 ? [] : await lookAtDivergence(old, active, { ...options, topics: suspects });
      const left = new Set(now.filter((d) => d.old.to > 0n).map((d) => d.topic));
      const beats = own.length === 0 ? [] : await filled(old, heartbeat, signal);
      return [...suspects.filter((topic) => left.has(topic)), ...beats];
    },
    async beginAnew(topic, kept, mayAct, signal) {
      if (topic === heartbeat) return dropHeartbeat(old, topic, mayAct, { clock, signal });
      await beginAnew(active, old, topic, kept, mayAct, { clock, signal });
    },
    async findOvertaken(signal) {
      const promotion = { atMs: roles.atMs, promotedAt };
      const found = config.jobs.map(({ name }) => findOvertaken(active.objects, name, promotion, signal));
      return (await Promise.all(found)).flat();
    },
    retirePoint: (point, signal) => retirePoint(active.objects, point, signal),
    async letMirrorWrite(signal) {
      const { principal, denyWrite } = config.mirror;
      if (!denyWrite || principal === undefined) return;
      await allowWrites(old, principal, [...new Set(promotedAt.map((p) => p.topic))], signal);
    },
  };
}

function openAndDescribe(active: Region, keepIn: Rescued['to'], promotion: number, topic: string): string {
  const store = openOrphanStore(active, keepIn, promotion);
  store.close();
  return store.describe(topic);
}

/** The topic, unless it is empty or absent. */
async function filled(old: Region, topic: string, signal: AbortSignal): Promise<readonly string[]> {
  const [range] = await old.kafka.logRanges([{ topic, partition: 0 }], { signal });
  return range !== undefined && range.logEndOffset > 0n ? [topic] : [];
}

/**
 * The heartbeat's topic holds Argus' own pulse and nothing else: once the roles have turned round it is of no use on
 * this side, and it is the one topic that is deleted without being kept.
 */
async function dropHeartbeat(
  old: Region,
  topic: string,
  mayAct: () => void,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const there = (await old.kafka.describeTopics([topic], options)).get(topic);
  if (!topic.startsWith('argus.') || there === undefined) {
    throw new ArgusError('ReseedRefused', `"${topic}" is no topic of Argus' own in ${old.name}`, { exitCode: 3 });
  }
  const configs = { ...heartbeatConfigs, ...standbyConfigs(new Map(Object.entries(heartbeatConfigs))) };
  const plan = { topic: { name: topic, partitions: there.partitions, configs }, oldTopicId: there.topicId, losses: [] };
  await reseedTopic(old, plan, mayAct, options);
}
