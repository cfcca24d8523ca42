import { translateSourceOffset } from '../../replication/mirrormaker/watch.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { openMirrorMaker } from '../mirrormaker.ts';
import { rolesNow, withComposition } from '../session.ts';
import { unknownTopic } from './unknown-topic.ts';

interface Options {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** `argus mirror offsets`: an offset of the primary as one of the standby's copy. Exit code 3 when it can't be told exactly. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { topic, partition, offset } = options;
    const work = await openMirrorMaker(context, composition, await rolesNow(context, composition));
    if (!composition.config.topics.includes(topic)) throw unknownTopic(topic);
    const answer = await translateSourceOffset(work.sides, { topic, partition }, offset);
    const where = `${topic}-${partition} offset ${offset} of ${work.primary.name}`;
    if (context.json)
      context.print(JSON.stringify({ topic, partition, sourceOffset: offset, ...answer }, bigintAsText));
    else if (answer.kind === 'exact') context.print(`${where} is ${answer.offset} on ${work.standby.name}, exactly`);
    else context.print(`${where} is not translated (${answer.code}): ${answer.why}`);
    return answer.kind === 'exact' ? 0 : 3;
  });
}
