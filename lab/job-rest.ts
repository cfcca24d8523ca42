import { type AskFlink, askRest } from './components/flink-job.ts';
import type { LabInfo, RegionName } from './lab-info.ts';

/** Lets `use` ask the Flink of a region: its session cluster, or with pods its job through the API server. */
export async function withFlinkOf<T>(
  info: LabInfo,
  region: RegionName,
  use: (ask: AskFlink) => Promise<T>,
): Promise<T> {
  const place = info.cluster?.regions[region];
  if (!place) return use(askRest(info.regions[region].flink.rest));
  // Only a cluster needs the client.
  const { clientNodeTransport } = await import('../regions/kubernetes/client-node-transport.ts');
  const { askThroughApi } = await import('./cluster-lab/ask-flink.ts');
  const transport = await clientNodeTransport(region, { kind: 'kubeconfig', files: [place.kubeconfig] });
  try {
    return await use(askThroughApi(transport, place.deployment));
  } finally {
    await transport.close();
  }
}
