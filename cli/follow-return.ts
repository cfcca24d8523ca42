import type { Roles } from '../domain/roles.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { refusal, rolesChanged } from '../runbooks/engine/failures.ts';
import { type InSync, watchReturn } from '../runbooks/failback/in-sync.ts';
import { joinReplication } from '../runbooks/failover/join-replication.ts';
import { readRoles } from '../state/roles.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

const lookEveryMs = 1_000;
const readMs = 5_000;

/**
 * Looks until the old primary follows. No lease is held meanwhile: should the primary die now, a failover may act; these
 * roles are waited for no more then (`RolesChanged`, exit code 3).
 */
export async function followReturn(
  context: CommandContext,
  { config, regions, state }: Composition,
  roles: Roles,
): Promise<InSync> {
  const { clock } = context;
  const { regionOf } = await import('../daemon/region-of.ts');
  const [primary, standby] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
  const { chooseRecoveryPoints } = joinReplication(primary, standby, config.topics);
  const watch = watchReturn({ config, primary, standby, chooseRecoveryPoints, clock });
  return untilFollowed(context, state, roles, watch);
}

/** Looks again and again, as long as these roles are in force. A state that can't be read now says nothing against them. */
export async function untilFollowed(
  { clock, signal, tell }: Pick<CommandContext, 'clock' | 'signal' | 'tell'>,
  state: ObjectStore,
  roles: Pick<Roles, 'epoch'>,
  watch: ReturnType<typeof watchReturn>,
): Promise<InSync> {
  for (let said = ''; ; ) {
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]) };
    const now = await readRoles(state, call).catch(() => undefined);
    signal.throwIfAborted();
    if (now !== undefined && now.epoch !== roles.epoch) throw refusal(rolesChanged(now));
    const seen = await watch.look(signal);
    if (seen.kind === 'ready') return seen;
    if (seen.why !== said) tell(`    waiting: ${seen.why}`);
    said = seen.why;
    await clock.sleep(lookEveryMs, signal);
  }
}
