import { mirrorMakerFlow } from '../../replication/mirrormaker/flow.ts';
import { connectorConfigs, dedicatedProperties } from '../../replication/mirrormaker/render.ts';
import type { CommandContext } from '../context.ts';
import { mirrorMakerSection } from '../mirrormaker.ts';
import { rolesNow, withComposition } from '../session.ts';

/** `argus mirror render`: what MirrorMaker 2 would be given. Holds no secret, only where Kafka Connect finds them. */
export async function run(context: CommandContext, options: { readonly dedicated?: boolean }): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config } = composition;
    const flow = mirrorMakerFlow(config, mirrorMakerSection(config), await rolesNow(context, composition));
    const connectors = Object.fromEntries(connectorConfigs(flow));
    if (!options.dedicated) context.print(JSON.stringify(connectors, null, 2));
    else {
      const properties = dedicatedProperties(flow);
      context.print(context.json ? JSON.stringify({ properties }) : properties.trimEnd());
    }
    return 0;
  });
}
