import { collectStatus } from '../../health/collect-status.ts';
import { renderStatus } from '../../health/render-status.ts';
import { assembleStatus } from '../../health/status.ts';
import type { CommandContext } from '../context.ts';
import { withComposition } from '../session.ts';

/** `argus status`: exit code 0 while the primary is healthy, else 1. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async ({ config, regions, names, state }) => {
    const { clock, signal } = context;
    const facts = await collectStatus({ config, regions: [...regions.values()], names, state, clock, signal });
    signal.throwIfAborted();
    const view = assembleStatus(facts);
    const colours = context.terminal && !context.env.NO_COLOR;
    context.print(context.json ? JSON.stringify(view) : renderStatus(view, { colours }));
    return view.healthy ? 0 : 1;
  });
}
