import { changeMirrorPause, type MirrorPause } from '../../state/mirror-pause.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, withComposition } from '../session.ts';

/** `argus mirror resume`: takes a pause back; without a topic all of them. */
export async function run(context: CommandContext, options: { readonly topic?: string }): Promise<number> {
  return withComposition(context, async (composition) => {
    const { state } = composition;
    const { signal } = context;
    const { topic } = options;
    if (composition.config.mirror.engine === 'mirrormaker2') {
      const { holdMirrorMaker } = await import('./mirror-hold-mirrormaker.ts');
      return holdMirrorMaker(context, composition, await rolesNow(context, composition), 'resume', topic);
    }
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
