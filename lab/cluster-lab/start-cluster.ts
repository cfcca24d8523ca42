import { resolve } from 'node:path';
import { missingForCluster, readClusterMachine, requireClusterMachine } from '../cluster/prerequisites.ts';
import { requireVisible } from '../cluster/start-cluster-region.ts';
import type { Warmth } from '../lab-info.ts';
import type { PlanInput } from '../plan.ts';
import { defaultCacheDir } from '../setup/artifacts.ts';
import { ensureFlinkRelease } from '../setup/flink-releases.ts';
import type { SetupEvent } from '../setup/part.ts';
import type { Step } from '../start-parts.ts';
import { ensureClusterParts, startNodes } from './start-nodes.ts';

export { writeClusterFiles } from './cluster-files.ts';
export { clusterRegionParts } from './cluster-region-parts.ts';

/** Two regions with some 1 GiB of their own, and the job's pods in one of them, or in both after a failover. */
const neededGiB = 5;

/** What this machine lacks for the flavour cluster, each with what to do. */
export function clusterPrerequisites(): readonly string[] {
  return missingForCluster(readClusterMachine(), neededGiB);
}

/**
 * Refuses (exit code 2) a machine that can't have the flavour cluster (`ClusterMachine`), and places that its nodes would
 * not see (`NotALabFolder`). Changes nothing.
 */
export async function requireMachine(dir: string, signal = new AbortController().signal): Promise<void> {
  await requireClusterMachine(signal, neededGiB);
  // The ingest runs on the nodes with this program.
  for (const path of [resolve(dir), defaultCacheDir(), process.execPath, import.meta.filename]) requireVisible(path);
}

/** Fetches and builds what is missing, and starts both regions' Kubernetes; done when their nodes are ready. */
export async function startClusters(
  lab: { readonly id: string; readonly dir: string },
  standby: Warmth,
  step: Step,
  signal: AbortSignal | undefined,
  progress: (event: SetupEvent) => void,
): Promise<NonNullable<PlanInput['cluster']>> {
  const by = signal ?? new AbortController().signal;
  const image = await ensureClusterParts(by, progress);
  const sessionJar = standby === 'warm' ? (await ensureFlinkRelease('1.20', by, progress)).jobJar : undefined;
  const regions = await startNodes(lab, image, step, signal);
  return { image, regions, ...(sessionJar !== undefined && { sessionJar }) };
}
