import { changeMirrorPause, type MirrorPause } from '../../state/mirror-pause.ts';
import type { CommandContext } from '../context.ts';
import { withComposition } from '../session.ts';

/** `argus mirror resume`: takes a pause back; without a topic all of them. */
export async function run(context: CommandContext, options: { readonly topic?: string }): Promise<number> {
  return withComposition(context, async ({ state }) => {
    const { signal } = context;
    const { topic } = options;
    const change = ({ all, topics }: MirrorPause): MirrorPause => {
      if (topic === undefined) return { topics: {} };
      const others = Object.fromEntries(Object.entries(topics).filter(([name]) => name !== topic));
      return all ? { all, topics: others } : { topics: others };
    };
    const paused = await changeMirrorPause(state, change, { signal });
    if (context.json) context.print(JSON.stringify({ paused }));
    else if (paused.all)
      context.print(`the whole mirror stays paused by ${paused.all.by}; \`argus mirror resume\` ends that`);
    else context.print(`${topic ?? 'the mirror'} is to go on from where the standby's log ends`);
    return 0;
  });
}
