import { randomBytes } from 'node:crypto';
import type { FailoverContext } from '../runbooks/failover/context.ts';
import { joinReplication } from '../runbooks/failover/join-replication.ts';
import { runId } from '../state/journal.ts';
import type { Composition } from './compose.ts';
import { pathFrom } from './config/load.ts';
import type { CommandContext } from './context.ts';
import { laterFlink } from './open-flink.ts';

/** What differs from one failover to the next. */
type Asked = Pick<
  FailoverContext,
  'roles' | 'primary' | 'standby' | 'sighting' | 'acceptUnfenced' | 'drainMs' | 'lossLimit'
> & {
  readonly acceptOutputGap: boolean;
  /** Nothing but these points may be chosen. */
  readonly only?: NonNullable<Parameters<typeof joinReplication>[3]>['only'];
};

/** What a failover works with; it begins a run of its own. */
export function failoverContext(
  { clock, who }: Pick<CommandContext, 'clock' | 'who'>,
  { config, names, state, folder, guard, drillFlink }: Composition,
  { only, ...asked }: Asked,
): Omit<FailoverContext, 'epoch'> {
  return {
    ...asked,
    config,
    names,
    state,
    ...(guard && { guard }),
    drillFlink: laterFlink(() => drillFlink(asked.standby.name)),
    clock,
    jobs: config.jobs.map((job) => ({
      config: job,
      jarPath: job.submit === undefined ? '' : pathFrom(folder, job.submit.jar),
    })),
    run: runId(clock.now(), 'failover', randomBytes(2).toString('hex')),
    by: who,
    ...joinReplication(asked.primary, asked.standby, config.topics, {
      groups: config.groups,
      acceptOutputGap: asked.acceptOutputGap,
      ...(only === undefined ? {} : { only }),
    }),
  };
}
