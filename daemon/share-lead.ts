import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import { partitionKey } from '../domain/offsets.ts';
import { readAssignment } from '../regions/kafka/group-calls.ts';
import { describeGroup } from '../regions/kafka/group-membership.ts';
import { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import { proveShareFrozen, type ShareProof, type ShareView } from '../replication/topics/share-proof.ts';
import type { Lease } from '../state/lease.ts';
import {
  dropShareMember,
  putSharePlan,
  readMemberFrozen,
  readShareMembers,
  readSharePlan,
  type SharePlan,
} from '../state/shared-mirror.ts';
import { runAuditLoop } from './audit-loop.ts';
import type { Direction } from './decide-replication.ts';
import { aclLoops } from './follow-acls.ts';
import type { FollowedReplicator, FreezeOrder } from './follow-roles.ts';
import { topicFollower } from './follow-topics.ts';
import { runGroupLoop } from './group-loop.ts';
import { heartbeat } from './heartbeat.ts';
import type { Log } from './log.ts';
import type { MirrorSettings } from './mirror-ipc.ts';
import { regionOf } from './region-of.ts';
import { type MirrorHandle, replicator, type Stopped } from './replicator.ts';
import { standbyEnds } from './standby-ends.ts';
import { every } from './supervise.ts';

export interface ShareLeadParts {
  readonly config: Config;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly group: string;
  /** The right to lead. */
  readonly lease: Lease;
}

/** The failover waits for a confirmation 5 s longer than it lets the mirror drain. */
const proofSlackMs = 4_000;
const proofPaceMs = 200;
const missedPaceMs = 5_000;
/** So long what a lost member sent may still be on its way: the kernel goes on sending for a socket that is closed. */
const lostForMs = 10 * 60_000;

/**
 * What one of those who share the partitions does for all: finds what is to be mirrored and writes it as a plan into the
 * state, makes what the standby lacks, copies groups' offsets, audits, and confirms a freeze once every member's word
 * is there. It mirrors nothing itself.
 */
export function shareLead(parts: ShareLeadParts): FollowedReplicator {
  const { config, regions, state, clock, log, lease, group } = parts;
  let direction: Direction | undefined;
  const start = (settings: MirrorSettings) => publishPlan(parts, direction as Direction, { held: {}, ...settings });
  const beating = heartbeat({ config, regions, clock, log });
  const follower = topicFollower({ config, regions, state, clock, log, start, own: beating });
  const sides = (d: Direction) => ({ source: regionOf(regions, d.source), target: regionOf(regions, d.target) });
  const copied = { groups: config.jobs.map((j) => j.consumerGroup), patterns: config.groups, topics: follower.names };
  const inner = replicator({
    clock,
    log,
    openMirror: (d, signal) => {
      direction = d;
      return follower.open(d, signal);
    },
    loops: [
      { name: 'topics', run: follower.run },
      { name: 'heartbeat', run: beating.run },
      { name: 'group copy', run: (d, stop) => runGroupLoop({ ...sides(d), ...copied, clock, log }, stop) },
      {
        name: 'audit',
        run: (d, stop) => runAuditLoop({ ...sides(d), partitions: follower.partitions, state, clock, log }, stop),
      },
      ...aclLoops({ config, regions, topics: follower.names, state, clock, log }),
      { name: 'missed members', run: (d, stop) => forgetLost(parts, d, stop) },
    ],
    standbyEnds: async () => [],
  });

  async function freeze(order: FreezeOrder, drainMs: number): Promise<Stopped | undefined> {
    const until = clock.monotonic() + drainMs + proofSlackMs;
    await inner.stop();
    const { target } = sides(order);
    const cluster = groupCluster(target, group);
    try {
      for (;;) {
        const proof = await lookForProof(parts, order, cluster, AbortSignal.timeout(3_000));
        if (proof.kind === 'proven') {
          const told = new Set(proof.endOffsets.map(partitionKey));
          const ends = await standbyEnds(target, follower.names());
          const { drained, openTransactions } = proof;
          const others = ends.filter((e) => !told.has(partitionKey(e)));
          return { drained, endOffsets: [...proof.endOffsets, ...others], openTransactions };
        }
        if (clock.monotonic() >= until) {
          log.error({}, `no proof that all members stand still: ${proof.why}`);
          return undefined;
        }
        await clock.sleep(proofPaceMs);
      }
    } catch (error) {
      log.error({}, `no proof that all members stand still: ${describeError(error)}`);
      return undefined;
    } finally {
      cluster.close();
    }
  }

  return {
    get running() {
      return inner.running;
    },
    start: (d) => {
      log.info({ group }, `this process leads those who share the partitions (epoch ${lease.epoch})`);
      inner.start(d);
    },
    stop: () => inner.stop(),
    freeze,
  };
}

/** Stands for the mirror of all members: what it is told goes into the plan that they follow. */
function publishPlan({ state, log, lease }: ShareLeadParts, direction: Direction, first: Following): MirrorHandle {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let written: Omit<SharePlan, 'leaseEpoch'> | undefined;
  const write = async ({ partitions, held, throttle }: Following) => {
    const plan = {
      partitions: [...partitions],
      held: { ...held },
      ...(throttle ? { throttle: planned(throttle) } : {}),
    };
    if (isDeepStrictEqual(plan, written) || lease.remainingMs() <= 0) return;
    const call = { signal: AbortSignal.any([lease.signal, AbortSignal.timeout(3_000)]) };
    const put = await putSharePlan(state, direction.rolesEpoch, { leaseEpoch: lease.epoch, ...plan }, call);
    if (put === 'written') written = plan;
  };
  let queue = Promise.resolve();
  const follow = (wanted: Following) => {
    queue = queue
      .then(() => write(wanted))
      .catch((error) => log.warn({}, `the plan for those who share can't be written yet: ${describeError(error)}`));
  };
  follow(first);
  return {
    ended,
    follow,
    freeze: () => Promise.reject(new Error('those who share are frozen by their own words')),
    stop: async () => {
      resolve();
      await queue;
    },
  };
}

async function lookForProof(
  { state, group, clock }: ShareLeadParts,
  order: FreezeOrder,
  cluster: KafkaCluster,
  signal: AbortSignal,
): Promise<ShareProof> {
  const { rolesEpoch, epoch } = order;
  const call = { signal };
  // The group first: a member that leaves between the two looks counts as lost for this look.
  const seen = await describeGroup(cluster, group, { clock, signal });
  const [plan, noted] = await Promise.all([
    readSharePlan(state, rolesEpoch, call),
    readShareMembers(state, rolesEpoch, call),
  ]);
  const members = await Promise.all(
    seen.members.map(async ({ memberId: id, assignment }): Promise<ShareView['members'][number]> => {
      const part = readAssignment(assignment);
      const seat = part && { epoch, memberId: id, generation: part.generation };
      return { id, part, report: seat && (await readMemberFrozen(state, rolesEpoch, seat, call)) };
    }),
  );
  const there = new Set(members.map((m) => m.id));
  return proveShareFrozen({
    partitions: plan?.partitions ?? [],
    settled: seen.state === 'Stable' || members.length === 0,
    members,
    lost: noted.filter((m) => !there.has(m.id)).map((m) => m.id),
  });
}

/** Takes back the notes of members that went without a word, once nothing of them can be on its way any more. */
async function forgetLost(parts: ShareLeadParts, direction: Direction, signal: AbortSignal): Promise<void> {
  const { state, clock, group } = parts;
  const cluster = groupCluster(regionOf(parts.regions, direction.target), group);
  const missedSince = new Map<string, number>();
  const tick = async () => {
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
    const there = new Set((await describeGroup(cluster, group, { clock, ...call })).members.map((m) => m.memberId));
    for (const { id, who } of await readShareMembers(state, direction.rolesEpoch, call)) {
      if (there.has(id)) missedSince.delete(id);
      else if (!missedSince.has(id)) {
        missedSince.set(id, clock.monotonic());
        parts.log.warn({ member: id }, `${who} no longer shares the partitions and did not say goodbye`);
      } else if (clock.monotonic() - (missedSince.get(id) ?? 0) > lostForMs) {
        await dropShareMember(state, direction.rolesEpoch, id, call);
        missedSince.delete(id);
      }
    }
  };
  try {
    await every(missedPaceMs, tick, clock, signal);
  } finally {
    cluster.close();
  }
}

function groupCluster(region: Region, group: string): KafkaCluster {
  const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_000 };
  return new KafkaCluster({ ...region.brokers, ...timeouts, clientId: `argus-mirror-${group}` });
}

/** Without what is not set: that can't be written down. */
function planned({ bytesPerSecond, topics }: NonNullable<Following['throttle']>) {
  return { ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }), topics: { ...topics } };
}
