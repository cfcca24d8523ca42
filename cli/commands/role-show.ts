import { decideRole } from '../../runbooks/fencing/decide-role.ts';
import { roleLook } from '../../runbooks/fencing/look-at-role.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

/** `argus role show`: the roles in force, and for each region whether it may run. Reads the state alone. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state, { config }) => {
    const look = roleLook(state);
    const { signal } = context;
    const views = await Promise.all(Object.keys(config.regions).map((region) => look(region, { signal })));
    const roles = views[0]?.roles ?? null;
    const regions = views.map((view) => ({ region: view.region, ...decideRole(view) }));
    if (context.json) {
      context.print(JSON.stringify({ roles, regions }));
      return 0;
    }
    context.print(
      roles === null
        ? 'no roles were ever written: `argus daemon` writes those of the first start'
        : `roles epoch ${roles.epoch}: ${roles.primary} is primary, ${roles.standby} its standby`,
    );
    for (const each of regions) {
      const may = each.kind === 'granted' ? `may run (epoch ${each.epoch})` : 'may not run';
      context.print(`${each.region}  ${may}: ${each.why}`);
    }
    return 0;
  });
}
