import { ArgusError } from '../../domain/errors.ts';
import { type LogRange, partitionsOf } from '../../domain/offsets.ts';
import type { Roles } from '../../domain/roles.ts';
import { bringConnectors } from '../../replication/mirrormaker/deploy.ts';
import { standbyTopic } from '../../replication/mirrormaker/flow.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { type MirrorMakerWork, openMirrorMaker } from '../mirrormaker.ts';

/** Between two looks at the standby's ends. */
const stillMs = 2_000;

/**
 * `argus mirror pause` and `resume` with MirrorMaker 2: its connectors are stopped, or run again, and seen to be so.
 * Stopped is only said when the standby's ends stood still as well.
 */
export async function holdMirrorMaker(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
  what: 'stop' | 'resume',
  topic: string | undefined,
): Promise<number> {
  if (topic !== undefined)
    throw new ArgusError('TopicNotPausable', "MirrorMaker can't hold a single topic", {
      exitCode: 2,
      hint: 'leave --topic out, or take the topic out of `topics` and run `argus mirror deploy`',
    });
  const work = await openMirrorMaker(context, composition, roles);
  await bringConnectors(work.connectors, what, work.deploying);
  const ends = what === 'stop' ? await endsStandingStill(context, composition, work) : [];
  if (context.json) {
    const state = what === 'stop' ? 'STOPPED' : 'RUNNING';
    const document = { connectors: work.connectors.map((name) => ({ name, state })), ends };
    context.print(JSON.stringify(document, bigintAsText));
  } else if (what === 'resume') context.print("MirrorMaker's connectors are running");
  else context.print("MirrorMaker's connectors are stopped, and the standby's ends stand still");
  return 0;
}

async function endsStandingStill(
  context: CommandContext,
  { config }: Composition,
  { flow, standby }: MirrorMakerWork,
): Promise<readonly LogRange[]> {
  const { signal, clock } = context;
  const names = config.topics.map((t) => standbyTopic(flow, t));
  const described = await standby.kafka.describeTopics(names, { signal });
  const partitions = partitionsOf(described.values());
  const before = await standby.kafka.logRanges(partitions, { signal });
  await clock.sleep(stillMs, signal);
  const after = await standby.kafka.logRanges(partitions, { signal });
  const moved = after.find((range, i) => range.logEndOffset !== before[i]?.logEndOffset);
  if (!moved) return after;
  throw new ArgusError('StandbyStillWritten', `${moved.topic}-${moved.partition} still grows on ${standby.name}`, {
    hint: 'the connectors are stopped: find out who else writes there',
  });
}
