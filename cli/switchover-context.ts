import { randomBytes } from 'node:crypto';
import type { Roles } from '../domain/roles.ts';
import { joinReplication } from '../runbooks/failover/join-replication.ts';
import type { SwitchoverContext } from '../runbooks/switchover/context.ts';
import { readEarlier } from '../runbooks/switchover/earlier.ts';
import { joinSavepoints } from '../runbooks/switchover/join-savepoints.ts';
import { joinWriters } from '../runbooks/switchover/join-writers.ts';
import { runId } from '../state/journal.ts';
import type { Composition } from './compose.ts';
import { pathFrom } from './config/load.ts';
import type { CommandContext } from './context.ts';
import { laterFlink } from './open-flink.ts';
import { sidesOf } from './session.ts';

/** How long the mirror may take for what is left when the producers are stopped, and the jobs to read it. */
export const switchoverLimits = { drainMs: 30_000, catchUpMs: 15_000 };

/** What a switchover under these roles works with; it begins a run of its own. */
export async function switchoverContext(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  producersStopped: boolean,
): Promise<Omit<SwitchoverContext, 'epoch'>> {
  const { config, names, state, folder, guard, drillFlink } = composition;
  const { clock, signal, who } = context;
  const sides = await sidesOf(context, composition, roles);
  const run = runId(clock.now(), 'switchover', randomBytes(2).toString('hex'));
  const { primary, standby } = sides;
  return {
    config,
    ...sides,
    names,
    state,
    clock,
    jobs: config.jobs.map((job) => ({
      config: job,
      jarPath: job.submit === undefined ? '' : pathFrom(folder, job.submit.jar),
    })),
    roles,
    run,
    by: who,
    ...(guard && { guard }),
    drillFlink: laterFlink(() => drillFlink(standby.name)),
    acceptUnfenced: false,
    producersStopped,
    ...switchoverLimits,
    ...joinReplication(primary, standby, config.topics, { groups: config.groups }),
    ...joinWriters({ config, primary, state, by: run, now: () => clock.now() }),
    ...joinSavepoints({
      jobs: config.jobs,
      primary,
      standby,
      rolesEpoch: roles.epoch,
      clock,
      parallelism: config.checkpoints.parallelism,
    }),
    ...(await readEarlier(state, roles.epoch, { signal })),
  };
}
