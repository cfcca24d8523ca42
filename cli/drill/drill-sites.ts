import type { DrillSite } from '../../drills/bubble-region.ts';
import type { Composition } from '../compose.ts';
import { drillsInDeployments } from '../open-flink.ts';

/** The regions as drills use them; one in which drills have no Flink is none. */
export async function drillSites({
  config,
  regions,
  drillFlink,
}: Pick<Composition, 'config' | 'regions' | 'drillFlink'>): Promise<ReadonlyMap<string, DrillSite>> {
  const sites = new Map<string, DrillSite>();
  for (const [name, { kafka, objects }] of regions) {
    const drill = config.drill.regions[name];
    const ownCluster = drill?.flink !== undefined || drillsInDeployments(name, config);
    if (!ownCluster && config.regions[name]?.flink.rest === undefined) continue;
    const { deployments, ...flink } = await drillFlink(name);
    sites.set(name, {
      name,
      kafka,
      objects,
      flink,
      ...(deployments && { deployments }),
      ownCluster,
      ...(drill?.principal === undefined ? {} : { principal: drill.principal }),
    });
  }
  return sites;
}
