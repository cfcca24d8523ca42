import { showCheckpoint } from '../../replication/checkpoints/show.ts';
import type { CommandContext } from '../context.ts';
import { type CheckpointQuestion, checkpointMissing, findCheckpoint } from '../find-checkpoint.ts';
import { renderCheckpoint } from '../render-checkpoint.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

/** `argus checkpoints show <id | uri>`: what a checkpoint holds. Reads its `_metadata` and the small states of Kafka's. */
export async function run(context: CommandContext, options: CheckpointQuestion): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal } = context;
    const sides = await sidesOf(context, composition, await rolesNow(context, composition));
    const { region, directories } = await findCheckpoint(options, composition.config.jobs, sides, signal);
    const directory = directories[0];
    const view = directory && (await showCheckpoint(region.objects, directory, { signal }));
    if (!view) throw checkpointMissing(options, region.name);
    const others = directories.slice(1).map((other) => `${region.objects.uri}/${other}`);
    if (context.json) context.print(JSON.stringify({ region: region.name, ...view, others }));
    else for (const line of renderCheckpoint(view, others)) context.print(line);
    return 0;
  });
}
