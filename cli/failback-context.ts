import { randomBytes } from 'node:crypto';
import type { Roles } from '../domain/roles.ts';
import type { Region } from '../regions/region.ts';
import type { FailbackContext } from '../runbooks/failback/context.ts';
import { joinOrphans } from '../runbooks/failback/join-orphans.ts';
import { failbackRunbook } from '../runbooks/failback/run-failback.ts';
import { runId } from '../state/journal.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

/** How long the old primary's logs have to stand still before they are believed. */
const stillMs = 3_000;

/** What a failback works with; it begins a run of its own. `primary` is the active side. */
export function failbackContext(
  { clock, who }: Pick<CommandContext, 'clock' | 'who'>,
  { config, state }: Composition,
  asked: {
    readonly roles: Roles;
    readonly primary: Region;
    readonly standby: Region;
    readonly acceptUnfenced: boolean;
    readonly keepIn: FailbackContext['keepIn'];
  },
): Omit<FailbackContext, 'epoch'> {
  const { roles, primary, standby, keepIn } = asked;
  return {
    ...asked,
    config,
    state,
    clock,
    run: runId(clock.now(), failbackRunbook, randomBytes(2).toString('hex')),
    by: who,
    ...joinOrphans({ config, active: primary, old: standby, state, clock, roles, keepIn, stillMs }),
  };
}
