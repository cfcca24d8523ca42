import type { ClusterJobPlace } from '../cluster-job/job-objects.ts';
import type { ClusterPlace, LabInfo, RegionName } from '../lab-info.ts';

/** The description of a region with pods. Only for a lab of the flavour cluster. */
export function clusterPlaceOf(info: LabInfo, region: RegionName): ClusterPlace {
  const place = info.cluster?.regions[region];
  if (!place) throw new Error('the lab has no regions with pods');
  return place;
}

/** What the job's object in a region refers to, as pods reach it. */
export function jobPlaceOf(info: LabInfo, region: RegionName): ClusterJobPlace {
  const { kafka, objects } = info.regions[region];
  if (!info.cluster) throw new Error('the lab has no regions with pods');
  return { image: info.cluster.image, brokers: kafka.inside, objects, transactionalIdPrefix: `counts-${region}` };
}
