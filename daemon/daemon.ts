import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import { createMetrics } from '../health/metrics.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import { ensureRoles } from '../state/roles.ts';
import { runCheckpointLoop } from './checkpoint-loop.ts';
import type { ReplicationOrder } from './decide-replication.ts';
import { followRoles } from './follow-roles.ts';
import { forkMirror } from './fork-mirror.ts';
import { runGroupLoop } from './group-loop.ts';
import { servePages } from './http.ts';
import type { Log } from './log.ts';
import { prepareMirror } from './prepare-mirror.ts';
import { regionOf } from './region-of.ts';
import { acquireReplicationLease } from './replication-lease.ts';
import { type MirrorHandle, type ReplicatorParts, replicator } from './replicator.ts';
import { standbyEnds } from './standby-ends.ts';
import { watchPrimary } from './watch-primary.ts';

export interface DaemonParts {
  readonly config: Config;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** `user@host` and process, for people. */
  readonly holder: string;
}

/** Runs everything that has to run all the time, until the signal: replication, the watch, the pages. Leaves nothing behind. */
export async function runDaemon(parts: DaemonParts, signal: AbortSignal): Promise<void> {
  const { config, regions, state, clock, log } = parts;
  const metrics = createMetrics();
  let roles: Roles | undefined;
  let order: ReplicationOrder | undefined;
  let mirrorStatus: MirrorStatus | undefined;
  let syncs: ReadonlyMap<string, CheckpointSync> = new Map();
  let tickedAt = clock.monotonic();
  const watch = watchPrimary({ regions, topics: config.topics, state, clock, log, roles: () => roles });

  const pages = await servePages(
    {
      metrics: () =>
        metrics.render({
          topics: order?.kind === 'run' ? (mirrorStatus?.topics ?? {}) : {},
          checkpoints: Object.fromEntries(
            [...syncs].map(([job, sync]) => {
              const { lastSyncAtMs, newest } = sync.status();
              return [
                job,
                {
                  ...(lastSyncAtMs === undefined ? {} : { lastSyncMs: lastSyncAtMs }),
                  ...(newest === undefined
                    ? {}
                    : { newestCheckpointId: newest.checkpointId, newestCompletedAtMs: newest.completedAtMs }),
                },
              ];
            }),
          ),
          ...(roles ? { roles } : {}),
          ...(watch.primaryReachable === undefined ? {} : { primaryReachable: watch.primaryReachable }),
          replicating: order?.kind === 'run',
        }),
      health: () => ({
        ok: clock.monotonic() - tickedAt < 10_000,
        replication: order?.kind ?? 'starting',
        ...(order?.kind === 'idle' ? { why: order.why } : {}),
        ...(roles ? { primary: roles.primary, standby: roles.standby, epoch: roles.epoch } : {}),
        ...(watch.primaryReachable === undefined ? {} : { primaryReachable: watch.primaryReachable }),
      }),
    },
    config.daemon,
  );
  log.info({ url: pages.url }, `the daemon listens on ${pages.url}`);

  const replicatorParts: ReplicatorParts = {
    clock,
    log,
    openMirror: async (direction, stop) => {
      const settings = await prepareMirror(
        {
          state,
          source: regionOf(regions, direction.source),
          target: regionOf(regions, direction.target),
          bootstrap: (name) => config.regions[name]?.kafka.bootstrap ?? [],
          topics: config.topics,
          log,
        },
        direction,
        stop,
      );
      const onStatus = (status: MirrorStatus) => {
        mirrorStatus = status;
        watch.see(status);
      };
      return counted(forkMirror(settings, { clock, onStatus }), metrics.mirrorRestarted);
    },
    loops: [
      {
        name: 'checkpoint sync',
        run: (direction, stop) =>
          runCheckpointLoop(
            {
              jobs: config.jobs,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
              onFailure: () => metrics.syncFailed('checkpoints'),
              onStart: (started) => {
                syncs = started;
              },
            },
            stop,
          ),
      },
      {
        name: 'group copy',
        run: (direction, stop) =>
          runGroupLoop(
            {
              groups: config.jobs.map((j) => j.consumerGroup),
              topics: config.topics,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
              onFailure: () => metrics.syncFailed('groups'),
            },
            stop,
          ),
      },
    ],
    standbyEnds: async (direction) => standbyEnds(regionOf(regions, direction.target), config.topics),
  };

  try {
    roles = await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: parts.holder }, { signal });
    const watching = watch.run(signal);
    try {
      while (!signal.aborted) {
        const lease = await acquireReplicationLease(parts, 'daemon', signal);
        const stopRenewing = lease.keepRenewed();
        const replicate = AbortSignal.any([signal, lease.signal]);
        await followRoles(
          {
            state,
            clock,
            log,
            replicator: replicator(replicatorParts),
            confirms: true,
            onOrder: (next, now) => {
              order = next;
              roles = now;
              tickedAt = clock.monotonic();
            },
          },
          replicate,
        );
        await stopRenewing();
        if (!signal.aborted) log.warn({}, 'the right to replicate was lost; it is asked for again');
        else await lease.release({ signal: AbortSignal.timeout(3_000) });
      }
    } finally {
      await watching;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    log.debug({ error: describeError(error) }, 'ended while stopping');
  } finally {
    await pages.close();
    log.info({}, 'the daemon has stopped');
  }
}

function counted(handle: MirrorHandle, onCrash: () => void): MirrorHandle {
  handle.ended.catch(onCrash);
  return handle;
}
