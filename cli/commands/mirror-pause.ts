import { changeMirrorPause, type MirrorPause } from '../../state/mirror-pause.ts';
import type { CommandContext } from '../context.ts';
import { rolesNow, withComposition } from '../session.ts';
import { unknownTopic } from './unknown-topic.ts';

/** `argus mirror pause`: what mirrors stops with the topic, or with all, within seconds; nothing is lost by it. */
export async function run(context: CommandContext, options: { readonly topic?: string }): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal, clock, who } = context;
    const { topic } = options;
    const roles = await rolesNow(context, composition);
    if (composition.config.mirror.engine === 'mirrormaker2') {
      const { holdMirrorMaker } = await import('./mirror-hold-mirrormaker.ts');
      return holdMirrorMaker(context, composition, roles, 'stop', topic);
    }
    if (topic !== undefined && !composition.config.topics.includes(topic)) throw unknownTopic(topic);
    const pause = { by: who, atMs: clock.now() };
    const change = (paused: MirrorPause): MirrorPause =>
      topic === undefined ? { ...paused, all: pause } : { ...paused, topics: { ...paused.topics, [topic]: pause } };
    const paused = await changeMirrorPause(composition.state, change, { signal });
    if (context.json) context.print(JSON.stringify({ paused }));
    else context.print(`${topic ?? 'the mirror'} is to pause; it goes on with \`argus mirror resume\``);
    return 0;
  });
}
