import type { Roles } from '../domain/roles.ts';
import { type InSync, watchReturn } from '../runbooks/failback/in-sync.ts';
import { joinReplication } from '../runbooks/failover/join-replication.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

const lookEveryMs = 1_000;

/** Looks until the old primary follows. No lease is held meanwhile: should the primary die now, a failover may act. */
export async function followReturn(
  context: CommandContext,
  { config, regions }: Composition,
  roles: Roles,
): Promise<InSync> {
  const { clock, signal } = context;
  const { regionOf } = await import('../daemon/region-of.ts');
  const [primary, standby] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
  const { chooseRecoveryPoints } = joinReplication(primary, standby, config.topics);
  const watch = watchReturn({ config, primary, standby, chooseRecoveryPoints, clock });
  for (let said = ''; ; ) {
    const seen = await watch.look(signal);
    if (seen.kind === 'ready') return seen;
    if (seen.why !== said) context.tell(`    waiting: ${seen.why}`);
    said = seen.why;
    await clock.sleep(lookEveryMs, signal);
  }
}
