import { parseConfig } from '../../../../cli/config/parse.ts';
import { type MirrorMakerFlow, mirrorMakerFlow } from '../../../../replication/mirrormaker/flow.ts';
import { sampleYaml } from '../../cli/sample-config.ts';

/** The sample with MirrorMaker 2 as its mirror; `more` stands below `mirrormaker`. */
export const mirrorMakerYaml = (more = '', yaml = sampleYaml) =>
  `${yaml}mirror:
  engine: mirrormaker2
  mirrormaker:
    connectUrl: { singapore: "http://connect.singapore.example:8083" }
${more}`;

/** The flow of such a configuration, from mumbai to singapore. */
export function sampleFlow(yaml = mirrorMakerYaml()): MirrorMakerFlow {
  const config = parseConfig(yaml, 'argus.yaml');
  if (!config.mirror.mirrormaker) throw new Error('the sample has no mirrormaker section');
  return mirrorMakerFlow(config, config.mirror.mirrormaker, config.roles);
}
