import { join } from 'node:path';
import type { ClusterRegion } from '../cluster/cluster-region.ts';
import { startClusterRegion } from '../cluster/start-cluster-region.ts';
import { type RegionName, regionNames } from '../lab-info.ts';
import { ensureNodeTools } from '../setup/debian.ts';
import { ensureFlinkImage, type FlinkImage } from '../setup/flink-image.ts';
import { ensureFlinkOperator } from '../setup/flink-operator.ts';
import { ensureFlinkOperatorCrds, ensureKubernetes } from '../setup/kubernetes.ts';
import type { SetupEvent } from '../setup/part.ts';
import type { Step } from '../start-parts.ts';

/** Everything that regions with pods need beside the lab's own parts, in the cache; what is missing is fetched and built. */
export async function ensureClusterParts(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<FlinkImage> {
  // What takes longest first: who has to wait for it knows so at once.
  await ensureKubernetes(signal, progress);
  await ensureNodeTools(signal, progress);
  await ensureFlinkOperator(signal, progress);
  await ensureFlinkOperatorCrds(signal, progress);
  return ensureFlinkImage(signal, progress);
}

/** Starts both regions' Kubernetes, each with the job's image; ready when their nodes are. */
export async function startNodes(
  lab: { readonly id: string; readonly dir: string },
  image: FlinkImage,
  step: Step,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<RegionName, ClusterRegion>>> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const start = (name: RegionName): Promise<ClusterRegion> =>
    step(`${name}/node`, () =>
      startClusterRegion({
        labId: lab.id,
        name,
        dir: join(lab.dir, name),
        images: [image.archive],
        signal: either,
      }),
    );
  const starting = regionNames.map(start);
  for (const each of starting) each.catch((error: unknown) => failed.abort(error));
  // Both have ended, whatever happened: nothing is made any more when the lab is taken away.
  const results = await Promise.allSettled(starting);
  signal?.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  const [mumbai, singapore] = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
  if (!mumbai || !singapore) throw new Error('a region did not start');
  return { mumbai, singapore };
}
