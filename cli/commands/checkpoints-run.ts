import { requireReplicaRight } from '../../daemon/checkpoint-lease.ts';
import { runCheckpointLoop } from '../../daemon/checkpoint-loop.ts';
import { followRoles } from '../../daemon/follow-roles.ts';
import { regionOf } from '../../daemon/region-of.ts';
import { replicator } from '../../daemon/replicator.ts';
import { watchReplica } from '../../daemon/watch-replica.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { requireOtherBucket } from '../../replication/checkpoints/other-bucket.ts';
import { ensureRoles } from '../../state/roles.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { copyOnce } from '../copy-once.ts';
import { preflight, requireReplication, rolesNow, withComposition } from '../session.ts';

interface Options {
  readonly once?: boolean;
  readonly job?: string;
}

/**
 * `argus checkpoints run` (or `sync`): in the foreground until Ctrl-C; stands still while replication is frozen or
 * suspended. With `--once` until the newest checkpoint of each job is on the replica.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async (composition) => {
    const { config, regions, state } = composition;
    const { clock, who } = context;
    const roles = await rolesNow(context, composition);
    const jobs = chosenJobs(config.jobs, options.job);
    const [source, target] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
    if (roles.replication === 'active') {
      await preflight(context, composition, 'checkpoints', roles);
      await requireOtherBucket(source.objects, target.objects, { signal: context.signal });
    } else if (options.once) requireReplication(roles);
    if (options.once) return copyOnce(context, composition, { source, target }, jobs);
    const parts = { state, clock, holder: who };
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal: context.signal });
    const loops = [
      {
        name: 'checkpoint sync',
        run: (direction: { readonly source: string; readonly target: string }, stop: AbortSignal) =>
          runCheckpointLoop(
            {
              jobs,
              settings: config.checkpoints,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
              watch: watchReplica({ state, target: regionOf(regions, direction.target), clock, log }),
            },
            stop,
          ),
      },
    ];
    for (let first = true; !context.signal.aborted; first = false) {
      try {
        await requireReplicaRight(parts, 'checkpoints run', context.signal, async ({ signal }) => {
          const sync = replicator({ clock, log, loops, standbyEnds: async () => [] });
          await followRoles({ state, clock, log, confirms: false, replicator: sync }, signal);
        });
        if (!context.signal.aborted) log.warn({}, 'the right to copy was lost; it is asked for again');
      } catch (error) {
        const final = error instanceof ArgusError && error.exitCode !== 1;
        if (context.signal.aborted) break;
        if (first || final) throw error;
        log.warn({}, `the right to copy can't be asked for: ${describeError(error)}; it is tried again`);
        await clock.sleep(2_000, context.signal).catch(() => undefined);
      }
    }
    return 0;
  });
}
