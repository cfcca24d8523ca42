import { collectStatus } from '../../health/collect-status.ts';
import { renderStatus } from '../../health/render-status.ts';
import { assembleStatus } from '../../health/status.ts';
import { readStanding } from '../../state/decisions.ts';
import type { CommandContext } from '../context.ts';
import { standingIsFresh, standingLines } from '../render-automatic.ts';
import { withComposition } from '../session.ts';

const standingMs = 2_000;

/** `argus status`: exit code 0 while the primary is healthy, else 1. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async ({ config, regions, names, state }) => {
    const { clock, signal } = context;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(standingMs)]) };
    const [facts, standing] = await Promise.all([
      collectStatus({ config, regions: [...regions.values()], names, state, clock, signal }),
      // A state that can't be read is told by the status itself.
      readStanding(state, call).catch(() => undefined),
    ]);
    signal.throwIfAborted();
    const view = assembleStatus(facts);
    const automatic = standing && standingIsFresh(standing, clock.now()) ? standing : undefined;
    const colours = context.terminal && !context.env.NO_COLOR;
    const text = () => [renderStatus(view, { colours }).trimEnd(), ...standingLines(automatic)].join('\n');
    context.print(context.json ? JSON.stringify({ ...view, ...(automatic && { automatic }) }) : text());
    return view.healthy ? 0 : 1;
  });
}
