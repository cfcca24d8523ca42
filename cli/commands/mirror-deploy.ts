import { deployConnectors, keepSyncs } from '../../replication/mirrormaker/deploy.ts';
import { connectorConfigs } from '../../replication/mirrormaker/render.ts';
import type { CommandContext } from '../context.ts';
import { openMirrorMaker } from '../mirrormaker.ts';
import { rolesNow, withComposition } from '../session.ts';

/** `argus mirror deploy`: Kafka Connect gets the connectors that it lacks or has otherwise; done when they are seen running. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    const work = await openMirrorMaker(context, composition, await rolesNow(context, composition));
    await keepSyncs(work.flow, work.standby.kafka, context.signal);
    const done = await deployConnectors(connectorConfigs(work.flow), work.deploying);
    if (context.json) context.print(JSON.stringify({ connectors: Object.fromEntries(done) }));
    else for (const name of done.keys()) context.print(`${name} is running`);
    return 0;
  });
}
