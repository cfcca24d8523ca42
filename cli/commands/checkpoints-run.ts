import { requireReplicaRight } from '../../daemon/checkpoint-lease.ts';
import { runCheckpointLoop } from '../../daemon/checkpoint-loop.ts';
import { followRoles } from '../../daemon/follow-roles.ts';
import { regionOf } from '../../daemon/region-of.ts';
import { replicator } from '../../daemon/replicator.ts';
import { retentionRules } from '../../domain/checkpoints-config.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { flinkJobIdOf } from '../../replication/checkpoints/catalogue.ts';
import { markerLook } from '../../replication/checkpoints/markers.ts';
import { sinkWatch } from '../../replication/checkpoints/sink-ends.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { ensureRoles } from '../../state/roles.ts';
import type { CommandContext } from '../context.ts';
import { preflight, requireReplication, rolesNow, withComposition } from '../session.ts';

/** `argus checkpoints run [--once]`: in the foreground until Ctrl-C; stands still while replication is frozen or suspended. */
export async function run(context: CommandContext, options: { readonly once?: boolean }): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async (composition) => {
    const { config, regions, state } = composition;
    const { clock, who } = context;
    const roles = await rolesNow(context, composition);
    if (roles.replication === 'active') await preflight(context, composition, 'checkpoints', roles);
    else if (options.once) requireReplication(roles);
    const [source, target] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
    const parts = { state, clock, holder: who };
    if (options.once) {
      const sinks = sinkWatch(source.brokers);
      await requireReplicaRight(parts, 'checkpoints run', context.signal, async ({ signal }) => {
        for (const job of config.jobs) {
          const sync = createCheckpointSync({
            job: job.name,
            keep: retentionRules(config.checkpoints, job.checkpoints).keep,
            prefix: job.checkpoints.prefix,
            source: source.objects,
            target: target.objects,
            clock,
            ...sinks.of(job),
            lookAtMarkers: markerLook(source.kafka, job.consumerGroup),
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
      }).finally(() => sinks.close());
      return 0;
    }
    await ensureRoles(state, { ...config.roles, atMs: clock.now(), by: who }, { signal: context.signal });
    const loops = [
      {
        name: 'checkpoint sync',
        run: (direction: { readonly source: string; readonly target: string }, stop: AbortSignal) =>
          runCheckpointLoop(
            {
              jobs: config.jobs,
              settings: config.checkpoints,
              source: regionOf(regions, direction.source),
              target: regionOf(regions, direction.target),
              clock,
              log,
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
