import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import { createMetrics, type Metrics, type MetricsFacts } from '../health/metrics.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import { type ActingWatch, watchActing } from '../state/acting-watch.ts';
import type { Lease } from '../state/lease.ts';
import { ensureRoles } from '../state/roles.ts';
import { runAuditLoop } from './audit-loop.ts';
import { runCheckpointLoop } from './checkpoint-loop.ts';

import { decideReplication, type ReplicationOrder } from './decide-replication.ts';
import { eventHub } from './events.ts';
import { fenceReturned } from './fence-returned.ts';
import { aclLoops } from './follow-acls.ts';
import { type FollowOptions, followRoles, orderSentence } from './follow-roles.ts';
import { topicFollower } from './follow-topics.ts';
import { forkMirror } from './fork-mirror.ts';
import { freshTopics } from './fresh-topics.ts';
import { runGroupLoop } from './group-loop.ts';
import { heartbeat } from './heartbeat.ts';
import { type HttpParts, serveDaemon } from './http/serve-daemon.ts';
import type { Log } from './log.ts';
import type { MirrorSettings } from './mirror-ipc.ts';
import { mirrorNews } from './mirror-news.ts';
import { replicaPruner } from './prune-replica.ts';
import { regionOf } from './region-of.ts';
import { type MirrorHandle, type ReplicatorParts, replicator } from './replicator.ts';
import type { DaemonView, MakeService } from './service.ts';
import { standbyEnds } from './standby-ends.ts';
import { supervise } from './supervise.ts';
import { type WaitingLook, waitForLead } from './wait-for-lead.ts';
import { watchPrimary } from './watch-primary.ts';
import { type ReplicaWatch, watchReplica } from './watch-replica.ts';

export interface DaemonParts {
  readonly config: Config;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  /** Whether anybody acts on the regions, where others look at that, too. Absent: the daemon looks for itself. */
  readonly acting?: ActingWatch;
  readonly clock: Clock;
  readonly log: Log;
  /** `user@host` and process, for people. */
  readonly holder: string;
  /** Where services add what they know and count; absent: the daemon's own alone. */
  readonly metrics?: Metrics;
  /** What is served beside metrics and health, and to whom; absent: nothing more, and to everybody. */
  readonly http?: HttpParts;
  /** What runs beside replication; absent: nothing. */
  readonly services?: readonly MakeService[];
}

/** Runs everything that has to run all the time, until the signal: replication, the watch, the pages. Leaves nothing behind. */
export async function runDaemon(parts: DaemonParts, signal: AbortSignal): Promise<void> {
  const { config, regions, state, clock, log } = parts;
  const metrics = parts.metrics ?? createMetrics();
  const acting = parts.acting ?? watchActing(state, clock);
  const beating = heartbeat({ config, regions, clock, log });
  let roles: Roles | undefined;
  let order: ReplicationOrder | undefined;
  let mirrorStatus: MirrorStatus | undefined;
  let syncs: ReadonlyMap<string, CheckpointSync> = new Map();
  let replicas: ReplicaWatch | undefined;
  let held: Lease | undefined;
  let fence: MetricsFacts['fence'];
  let tickedAt = clock.monotonic();
  const watch = watchPrimary({ regions, topics: config.topics, state, clock, log, roles: () => roles });

  const pages = await serveDaemon(
    {
      metrics: () => {
        const heartbeatLagMs = beating.lagMs();
        return metrics.render({
          topics: order?.kind === 'run' ? freshTopics(mirrorStatus, clock.now()) : {},
          checkpoints: checkpointFacts(syncs, replicas),
          ...(roles ? { roles } : {}),
          ...(watch.primaryReachable === undefined ? {} : { primaryReachable: watch.primaryReachable }),
          replicating: order?.kind === 'run',
          leads: (held?.remainingMs() ?? 0) > 0,
          objectives: { rtoMs: config.objectives.rto, rpoMs: config.objectives.rpo },
          ...(heartbeatLagMs === undefined ? {} : { heartbeatLagMs }),
          ...(fence && { fence }),
        });
      },
      health: () => ({
        ok: clock.monotonic() - tickedAt < 10_000,
        replication: order?.kind ?? 'starting',
        ...(order?.kind === 'idle' ? { why: order.why } : {}),
        ...(roles ? { primary: roles.primary, standby: roles.standby, epoch: roles.epoch } : {}),
        ...(watch.primaryReachable === undefined ? {} : { primaryReachable: watch.primaryReachable }),
      }),
      ready: () => order !== undefined,
    },
    config.daemon,
    parts.http,
  );
  log.info({ url: pages.url }, `the daemon listens on ${pages.url}`);
  const view: DaemonView = {
    roles: () => roles,
    order: () => order,
    mirror: () => mirrorStatus,
    syncs: () => syncs,
    heartbeatLagMs: () => beating.lagMs(),
    fence: () => fence,
    leads: () => (held?.remainingMs() ?? 0) > 0,
    events: eventHub((error) => log.error({}, `an event was not told on: ${describeError(error)}`)),
  };
  const services = (parts.services ?? []).map((make) => {
    const { name, run } = make(view);
    return supervise(run, { name, clock, log });
  });

  const start = (settings: MirrorSettings) => {
    const onStatus = (status: MirrorStatus) => {
      for (const { level, message } of mirrorNews(mirrorStatus, status)) log[level]({}, message);
      mirrorStatus = status;
      watch.see(status);
    };
    const mayWriteForMs = () => held?.remainingMs() ?? 0;
    return counted(forkMirror(settings, { clock, onStatus, mayWriteForMs }), metrics.mirrorRestarted);
  };
  const follower = topicFollower({ config, regions, state, clock, log, start, own: beating });
  // MirrorMaker mirrors topics and offsets of groups by itself; checkpoints it knows nothing of.
  const ownMirror = config.mirror.engine === 'argus';
  const ownLoops = (loops: ReplicatorParts['loops']) =>
    ownMirror ? loops : loops.filter((l) => l.name === 'checkpoint sync');
  const replicatorParts: ReplicatorParts = {
    clock,
    log,
    ...(ownMirror ? { openMirror: follower.open } : {}),
    loops: ownLoops([
      { name: 'topics', run: follower.run },
      { name: 'heartbeat', run: beating.run },
      ...aclLoops({ config, regions, topics: follower.names, state, clock, log }),
      {
        name: 'audit',
        run: (direction, stop) =>
          runAuditLoop(
            {
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              partitions: follower.partitions,
              state,
              clock,
              log,
              onFound: metrics.audited,
            },
            stop,
          ),
      },
      {
        name: 'checkpoint sync',
        run: (direction, stop) => {
          const target = regionOf(regions, direction.target);
          replicas = watchReplica({ state, target, clock, log });
          return runCheckpointLoop(
            {
              jobs: config.jobs,
              settings: config.checkpoints,
              source: regionOf(regions, direction.source),
              target,
              clock,
              log,
              pruner: replicaPruner({ ...parts, target }),
              watch: replicas,
              onFailure: () => metrics.syncFailed('checkpoints'),
              onStart: (started) => {
                syncs = started;
              },
            },
            stop,
          );
        },
      },
      {
        name: 'group copy',
        run: (direction, stop) =>
          runGroupLoop(
            {
              groups: config.jobs.map((j) => j.consumerGroup),
              patterns: config.groups,
              topics: follower.names,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
              onFailure: () => metrics.syncFailed('groups'),
            },
            stop,
          ),
      },
    ]),
    standbyEnds: async (direction) => standbyEnds(regionOf(regions, direction.target), follower.names()),
  };

  try {
    roles = await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: parts.holder }, { signal });
    const first = decideReplication(roles, undefined);
    let said: string | undefined;
    if (first.kind === 'idle') {
      // Nothing is to be done: that is told before the right to do it was waited for.
      order = first;
      said = orderSentence(first);
      log.info({ order: first.kind }, said);
    }
    while (!signal.aborted) {
      const onWait = (look: WaitingLook) => {
        tickedAt = clock.monotonic();
        roles = look.roles ?? roles;
        if (look.leader !== undefined) order = { kind: 'idle', why: `${look.leader} leads; this daemon observes` };
      };
      const lease = await waitForLead({ ...parts, acting, again: held !== undefined, onLook: onWait }, signal);
      held = lease;
      const stopRenewing = lease.keepRenewed();
      const replicate = AbortSignal.any([signal, lease.signal]);
      // Sightings are written by whoever replicates, and by nobody beside it.
      const watching = watch.run(replicate);
      const onLook = (look: MetricsFacts['fence']) => {
        fence = look;
      };
      const fencing = fenceReturned({ ...parts, roles: () => roles, lease, onLook }, replicate);
      const follow: FollowOptions = {
        state,
        acting,
        clock,
        log,
        replicator: replicator(replicatorParts),
        confirms: true,
        ...(said === undefined ? {} : { said }),
        onOrder: (next, now) => {
          order = next;
          roles = now;
          tickedAt = clock.monotonic();
        },
      };
      await Promise.all([followRoles(follow, replicate), watching, fencing]);
      said = undefined;
      await stopRenewing();
      if (signal.aborted) await lease.release({ signal: AbortSignal.timeout(3_000) });
      else {
        order = { kind: 'idle', why: 'the right to replicate was lost' };
        log.warn({}, 'the right to replicate was lost; it is asked for again');
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    log.debug({ error: describeError(error) }, 'ended while stopping');
  } finally {
    // The last begun ends first.
    for (const service of services.reverse()) await service.stop();
    await pages.close();
    log.info({}, 'the daemon has stopped');
  }
}

/** What is known of each job's replica, for the metrics. */
function checkpointFacts(
  syncs: ReadonlyMap<string, CheckpointSync>,
  replicas: ReplicaWatch | undefined,
): MetricsFacts['checkpoints'] {
  const facts = [...syncs].map(([job, sync]) => {
    const { lastSyncAtMs, newest, slow, superseded } = sync.status();
    const verified = replicas?.health().get(job)?.verified;
    return [
      job,
      {
        slow: slow !== undefined,
        superseded,
        ...(lastSyncAtMs === undefined ? {} : { lastSyncMs: lastSyncAtMs }),
        ...(newest && { newestCheckpointId: newest.checkpointId, newestCompletedAtMs: newest.completedAtMs }),
        ...(verified && { verifiedMs: verified.atMs, damagedFiles: verified.damagedFiles }),
      },
    ];
  });
  return Object.fromEntries(facts);
}

function counted(handle: MirrorHandle, onCrash: () => void): MirrorHandle {
  handle.ended.catch(onCrash);
  return handle;
}
