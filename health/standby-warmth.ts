import type { SessionCluster } from '../regions/flink/flink-jobs.ts';
import type { Finding, StandbyJob, StandbyKubernetes } from './standby-check.ts';
import { podsOf } from './standby-pods.ts';
import { judgeImages } from './standby-room.ts';

/** What is kept ready for one job's start. */
export interface Warmth {
  readonly job: string;
  /** As configured. */
  readonly wanted: 'cold' | 'warm';
  readonly is: 'cold' | 'warm' | 'unknown';
  /** In a few words: what is there, or what lacks. */
  readonly what: string;
}

/** How warm the standby is for each job: its session cluster with slots, or its image on the nodes. Pure. */
export function warmthOf({ jobs, warm, clusters, nodes }: StandbyKubernetes): readonly Warmth[] {
  return jobs.map((job) => {
    const wanted = warm.has(job.job) ? 'warm' : 'cold';
    if (job.session === undefined) return { job: job.job, wanted, ...imageWarmth(job, nodes) };
    const cluster = 'seen' in clusters ? clusters.seen.find((each) => each.jobs.includes(job.job)) : undefined;
    return { job: job.job, wanted, ...clusterWarmth(cluster) };
  });
}

/** What lacks of a standby that is to be warm: a failover works all the same, and takes longer. Pure. */
export function judgeWarmth(warmth: readonly Warmth[]): readonly Finding[] {
  return warmth
    .filter(({ wanted, is }) => wanted === 'warm' && is !== 'warm')
    .map(({ job, is, what }) => ({
      job,
      severity: 'warning',
      code: is === 'cold' ? 'StandbyNotWarm' : 'WarmthUnknown',
      message: `the standby is to be warm: ${what}`,
      hint: "docs/configuration.md, Warm standby: apply the session cluster, or bring the job's image to the nodes",
    }));
}

function clusterWarmth(cluster: SessionCluster | undefined): Pick<Warmth, 'is' | 'what'> {
  if (cluster === undefined) return { is: 'unknown', what: 'how its session cluster is was not told' };
  const name = `the session cluster ${cluster.namespace}/${cluster.name}`;
  if (cluster.state === 'absent') return { is: 'cold', what: `${name} is not there` };
  const { slots } = cluster;
  if (cluster.state === 'starting' || slots === undefined) return { is: 'cold', what: `${name} is not ready` };
  const free = `${name} is ready, and ${slots.free} of its ${slots.total} slots are free`;
  if (slots.free >= cluster.wanted) return { is: 'warm', what: free };
  return { is: 'cold', what: `${free}: ${cluster.wanted} are needed, so TaskManagers have to be started` };
}

function imageWarmth({ object }: StandbyJob, nodes: StandbyKubernetes['nodes']): Pick<Warmth, 'is' | 'what'> {
  if ('unseen' in nodes || 'unseen' in object || object.seen === undefined) {
    return { is: 'unknown', what: 'whether its image is on the nodes was not told' };
  }
  if (nodes.seen.length === 0) return { is: 'cold', what: 'there are no nodes' };
  const [lacking] = judgeImages(nodes.seen, podsOf(object.seen));
  if (lacking === undefined) return { is: 'warm', what: 'its image is on every node that takes its pods' };
  return { is: lacking.code === 'ImageUnknown' ? 'unknown' : 'cold', what: lacking.message };
}
