import { runCheckpointLoop } from '../../daemon/checkpoint-loop.ts';
import { followRoles } from '../../daemon/follow-roles.ts';
import { regionOf } from '../../daemon/region-of.ts';
import { replicator } from '../../daemon/replicator.ts';
import { ArgusError } from '../../domain/errors.ts';
import { flinkJobIdOf } from '../../replication/checkpoints/catalogue.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { ensureRoles } from '../../state/roles.ts';
import type { CommandContext } from '../context.ts';
import { preflight, rolesNow, withComposition } from '../session.ts';

/** `argus checkpoints run [--once]`: in the foreground until Ctrl-C; stands still while replication is frozen or suspended. */
export async function run(context: CommandContext, options: { readonly once?: boolean }): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async (composition) => {
    const { config, regions, state } = composition;
    const { clock, signal, who } = context;
    const roles = await rolesNow(context, composition);
    if (roles.replication === 'active') await preflight(context, composition, 'checkpoints', roles);
    else if (options.once) {
      throw new ArgusError('ReplicationSuspended', `replication is suspended since ${roles.primary} was promoted`, {
        exitCode: 3,
      });
    }
    const [source, target] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
    if (options.once) {
      for (const job of config.jobs) {
        const sync = createCheckpointSync({
          job: job.name,
          prefix: job.checkpoints.prefix,
          source: source.objects,
          target: target.objects,
          clock,
          flinkJobId: async () =>
            flinkJobIdOf(await source.flink.list({ signal: AbortSignal.timeout(2_000) }), job.name),
        });
        const step = await sync.step({ signal });
        const { newest } = sync.status();
        if (context.json)
          context.print(JSON.stringify({ job: job.name, newest: newest ?? null, refused: step.refused }));
        else
          context.print(
            newest
              ? `${job.name}: checkpoint ${newest.checkpointId} is on the replica`
              : `${job.name}: no complete checkpoint yet`,
          );
      }
      return 0;
    }
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal });
    const loops = [
      {
        name: 'checkpoint sync',
        run: (direction: { readonly source: string; readonly target: string }, stop: AbortSignal) =>
          runCheckpointLoop(
            {
              jobs: config.jobs,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
            },
            stop,
          ),
      },
    ];
    const sync = replicator({ clock, log, loops, standbyEnds: async () => [] });
    await followRoles({ state, clock, log, confirms: false, replicator: sync }, signal);
    return 0;
  });
}
