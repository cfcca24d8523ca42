import { runDaemon } from '../../daemon/daemon.ts';
import { regionOf } from '../../daemon/region-of.ts';
import { ArgusError } from '../../domain/errors.ts';
import { createMetrics } from '../../health/metrics.ts';
import { requireOtherBucket } from '../../replication/checkpoints/other-bucket.ts';
import { watchActing } from '../../state/acting-watch.ts';
import type { CommandContext } from '../context.ts';
import { inForce } from '../daemon/in-force.ts';
import { daemonWeb } from '../daemon/web.ts';
import { daemonServices } from '../daemon-services.ts';
import { preflight, rolesNow, withComposition } from '../session.ts';

/** `argus daemon`: until Ctrl-C or SIGTERM; SIGHUP reads the configuration anew. A primary that is away is told, what is misconfigured is refused. */
export async function run(context: CommandContext): Promise<number> {
  const log = await context.openLog();
  const standing = inForce(context, await context.loadConfig());
  return withComposition(standing.context, async (composition) => {
    const { config, regions, state } = composition;
    const { clock, signal, who } = context;
    const roles = await rolesNow(context, composition);
    // After a failover nothing is replicated, so nothing of the old primary is needed.
    if (roles.replication === 'active') {
      await preflight(context, composition, 'daemon', roles);
      const [source, target] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
      const tried = requireOtherBucket(source.objects, target.objects, { signal });
      await tried.catch((error: unknown) => {
        // A primary that is dark can't be asked; the sync asks again before it copies anything.
        if (error instanceof ArgusError && error.exitCode === 2) throw error;
      });
    }
    const metrics = createMetrics();
    // One look at who acts, for all that has to know it.
    const acting = watchActing(state, clock);
    const web = await daemonWeb({ context: standing.context, composition, log, metrics, acting });
    const services = [
      ...(await daemonServices({
        ...{ context, composition, log, metrics, acting, board: web.board, looks: web.looks },
        ...{ inForce: standing, retune: web.retune },
      })),
      ...web.services,
    ];
    const parts = { config, regions, state, acting, clock, log, holder: who, metrics, http: web.http, services };
    await runDaemon(parts, signal);
    return 0;
  });
}
