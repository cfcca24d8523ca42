import { ArgusError } from '../../../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../../../domain/offsets.ts';
import type { Roles } from '../../../../domain/roles.ts';
import type { FlinkJob, FlinkJobs } from '../../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { Region } from '../../../../regions/region.ts';
import {
  type Divergence,
  divergedTopics,
  divergenceOf,
  wantedRanges,
} from '../../../../replication/orphans/divergence.ts';
import { notKept } from '../../../../replication/orphans/guard.ts';
import type { OrphanRecord } from '../../../../replication/orphans/orphan-record.ts';
import type { OrphanStore } from '../../../../replication/orphans/orphan-store.ts';
import {
  countKept,
  type RescuedPartition,
  rescuePartition,
  verifyPartition,
} from '../../../../replication/orphans/rescue.ts';
import type { FailbackContext, OldLogs } from '../../../../runbooks/failback/context.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { Mortal } from '../../../support/crash-everywhere.ts';
import { type VirtualClock, virtualClock } from '../../state/virtual-clock.ts';
import { config } from '../failover/world.ts';

/** One partition each of two topics on the old primary: `events` diverged, `clicks` did not. */
export const promotedAt = { events: 100n, clicks: 30n };
export const oldEnds = { events: 130n, clicks: 30n };
export const activeRanges = { events: { from: 20n, to: 180n }, clicks: { from: 0n, to: 40n } };
const topics = ['clicks', 'events'] as const;
type Topic = (typeof topics)[number];

export interface World {
  readonly clock: VirtualClock;
  readonly store: ObjectStore;
  readonly effects: string[];
  /** Where the old primary's logs end now, and which topics they are. */
  readonly old: Map<Topic, { id: number; end: bigint }>;
  readonly jobs: FlinkJob[];
  /** What is kept, and who may append: the newest opener. */
  readonly kept: Map<string, OrphanRecord[]>;
  writer: number;
  readonly overtaken: Set<string>;
}

export const roles: Roles = {
  epoch: 2,
  primary: 'singapore',
  standby: 'mumbai',
  replication: 'suspended',
  atMs: 1,
  by: 'me',
  run: '20261121T100000Z-failover-0001',
  promotedAt: topics.map((topic) => ({ topic, partition: 0, offset: promotedAt[topic].toString() })),
};

/** A record of the old primary as it is kept. */
export const keptRecord = (offset: bigint, reason: OrphanRecord['reason']): OrphanRecord => ({
  offset,
  timestampMs: offset,
  reason,
  transaction: 'none',
  body: Buffer.from([1, 1, 0]),
});

/** Appends of whoever is not the newest opener are refused, as brokers refuse a producer's older epoch. */
function keptIn(world: World): OrphanStore {
  let me = 0;
  return {
    describe: (topic) => `memory ${topic}`,
    async open() {
      me = ++world.writer;
    },
    async *read(tp) {
      yield* [...(world.kept.get(partitionKey(tp)) ?? [])];
    },
    async append(tp, _origin, records) {
      if (me !== world.writer) throw new ArgusError('KafkaFailed', 'INVALID_PRODUCER_EPOCH');
      for (const { reason, offset } of records) world.effects.push(`keep ${reason} ${tp.topic} ${offset}`);
      world.kept.set(partitionKey(tp), [...(world.kept.get(partitionKey(tp)) ?? []), ...records]);
    },
    close: () => undefined,
  };
}

/** A process' view of the logs: what it does to them goes through ports that can die. */
function logsOf(world: World, process: Mortal): OldLogs {
  const store = process.port('store', keptIn(world), /^(describe|close)$/);
  // Reading is no effect, and a generator is no promise.
  const reading = { ...store, open: store.open, append: store.append, read: keptIn(world).read };
  const topicsOfOld = process.port('old', {
    async begin(topic: Topic, id: number) {
      const there = world.old.get(topic);
      // What comes late finds another topic.
      if (there?.id !== id) return;
      world.effects.push(`begin ${topic} anew`);
      world.old.set(topic, { id: id + 1, end: 0n });
    },
  });
  const replica = process.port('replica', {
    async retire(point: string) {
      if (world.overtaken.delete(point)) world.effects.push(`retire ${point}`);
    },
  });
  const origin = { region: 'mumbai', promotion: 2 };
  const old = {
    async *records(range: { from: bigint; to: bigint; reason: OrphanRecord['reason'] }) {
      for (let offset = range.from; offset < range.to; offset++) yield keptRecord(offset, range.reason);
    },
  };
  const look = (): readonly Divergence[] =>
    topics.map((topic) => {
      const { end, id } = world.old.get(topic) ?? { end: 0n, id: 0 };
      return divergenceOf({
        topic,
        partition: 0,
        promotedAt: promotedAt[topic],
        old: { from: 0n, to: end },
        active: activeRanges[topic],
        recreated: id > 1,
      });
    });
  const perPartition = (found: readonly Divergence[]) =>
    [...Map.groupBy(wantedRanges(found), partitionKey).values()].map((ranges) => ({
      tp: { topic: ranges[0]?.topic ?? '', partition: 0 } satisfies TopicPartition,
      ranges,
    }));
  return {
    describeKept: (topic) => `memory ${topic}`,
    findDivergence: async () => look(),
    async rescue(found, mayAct, _progress, signal) {
      await reading.open([], signal);
      for (const { tp, ranges } of perPartition(found))
        await rescuePartition({ old, store: reading, origin, mayAct }, tp, ranges, 0n, signal);
    },
    async checkRescue(found, signal) {
      const partitions: RescuedPartition[] = [];
      for (const { tp, ranges } of perPartition(found)) {
        const check = await verifyPartition({ old, store: reading, origin }, tp, ranges, 0n, signal);
        if (check.kind === 'differs') return { ...tp, ...check };
        partitions.push(check.partition);
      }
      return { kind: 'verified', partitions };
    },
    countKept: (tp, ranges, signal) => countKept(tp, ranges, () => reading.read(tp, origin, signal)),
    async lookForDiverged(found) {
      return divergedTopics(found).filter((topic) => (world.old.get(topic as Topic)?.end ?? 0n) > 0n);
    },
    async beginAnew(topic, kept, mayAct) {
      const { end, id } = world.old.get(topic as Topic) ?? { end: 0n, id: 0 };
      const losses = [
        { partition: 0, from: 0n, to: activeRanges[topic as Topic].from, why: 'deleted' },
        { partition: 0, from: promotedAt[topic as Topic], to: end, why: 'others' },
      ];
      if (notKept(losses, kept).length > 0) throw new ArgusError('NotRescued', topic, { exitCode: 3 });
      mayAct();
      await topicsOfOld.begin(topic as Topic, id);
    },
    findOvertaken: async () => [...world.overtaken],
    retirePoint: (point) => replica.retire(point),
    letMirrorWrite: async () => undefined,
  };
}

/** A world after the promotion: the old primary is back, its job still runs. */
export async function newWorld(): Promise<World> {
  const world: World = {
    clock: virtualClock(),
    store: memoryObjectStore('state'),
    effects: [],
    old: new Map(topics.map((topic) => [topic, { id: 1, end: oldEnds[topic] }])),
    jobs: [{ id: 'a', name: 'counts', state: 'RUNNING', startedAtMs: 1 }],
    kept: new Map(),
    writer: 0,
    overtaken: new Set(['points/7']),
  };
  await writeRoles(world.store, roles);
  return world;
}

/** What the `n`th process is started with; `over` replaces parts of it. */
export function contextOf(
  world: World,
  n: number,
  process: Mortal = new Mortal(world.clock),
  over: Partial<FailbackContext> = {},
): Omit<FailbackContext, 'epoch'> {
  const flink = process.port('flink', {
    list: async () => world.jobs.map((j) => ({ ...j })),
    cancel: async () => {
      if (world.jobs[0]?.state === 'CANCELED') return;
      world.effects.push('cancel');
      world.jobs.splice(0, 1, { id: 'a', name: 'counts', state: 'CANCELED', startedAtMs: 1 });
    },
  }) as unknown as FlinkJobs;
  const region = (name: string) => ({ name, flink }) as unknown as Region;
  return {
    config: { ...config, topics: [...topics] },
    primary: region('singapore'),
    standby: region('mumbai'),
    state: process.port('state', world.store),
    clock: world.clock,
    roles,
    run: `20261121T10300${n}Z-failback-000${n}`,
    by: 'me@here',
    acceptUnfenced: false,
    keepIn: 'topic',
    ...logsOf(world, process),
    ...over,
  };
}
