import { listDecisions, readStanding } from '../../state/decisions.ts';
import type { CommandContext } from '../context.ts';
import { renderAutomatic, standingIsFresh } from '../render-automatic.ts';
import { withState } from '../session.ts';

/** `argus automatic status`: exit code 1 while no daemon tells how things stand. */
export async function run(context: CommandContext, options: { readonly decisions?: number }): Promise<number> {
  return withState(context, async (state, { config }) => {
    const { clock, signal } = context;
    const [standing, decisions] = await Promise.all([
      readStanding(state, { signal }),
      listDecisions(state, options.decisions ?? 10, { signal }),
    ]);
    const nowMs = clock.now();
    const fresh = standing !== undefined && standingIsFresh(standing, nowMs);
    const { mode, observers } = config.automatic;
    context.print(
      context.json
        ? JSON.stringify({ mode, observers, fresh, standing: standing ?? null, decisions })
        : renderAutomatic({ mode, observers: observers.length, fresh, standing, decisions, nowMs }),
    );
    return fresh ? 0 : 1;
  });
}
