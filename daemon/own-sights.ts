import type { Clock } from '../domain/clock.ts';
import { fenceSights, replicationSights } from '../health/probes/replication.ts';
import type { ProbeTask } from '../health/sight.ts';
import type { DaemonView } from './service.ts';

/** What a daemon sees of its own replication, while it is the one that replicates: nothing at any other time. */
export function ownSights(view: DaemonView, clock: Clock, rpoMs: number): ProbeTask {
  let since: { readonly epoch: number; readonly atMs: number } | undefined;
  return {
    name: 'replication',
    periodMs: 1_000,
    async look() {
      const order = view.order();
      if (!view.leads()) return [];
      const fence = fenceSights(view.fence());
      if (order?.kind !== 'run') {
        since = undefined;
        return fence;
      }
      if (since?.epoch !== order.rolesEpoch) since = { epoch: order.rolesEpoch, atMs: clock.now() };
      const mirror = view.mirror();
      const heartbeatLagMs = view.heartbeatLagMs();
      const replication = replicationSights({
        nowMs: clock.now(),
        source: order.source,
        target: order.target,
        rpoMs,
        ...(mirror ? { mirror } : {}),
        syncs: new Map([...view.syncs()].map(([job, sync]) => [job, sync.status().lastSyncAtMs])),
        sinceMs: since.atMs,
        ...(heartbeatLagMs === undefined ? {} : { heartbeatLagMs }),
      });
      return [...fence, ...replication];
    },
  };
}
