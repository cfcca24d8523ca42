import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { drillManifest } from '../cluster-job/drill-objects.ts';
import { standbyManifest } from '../cluster-job/job-objects.ts';
import { sessionManifest } from '../cluster-job/session-objects.ts';
import { drillArgs, proxyOf } from '../lab-config.ts';
import { type LabInfo, regionNames } from '../lab-info.ts';
import { clusterPlaceOf, jobPlaceOf } from './places.ts';

/** Writes what `argus.yaml` of a lab with pods refers to: each region's manifest, that of drills, and the access to it through the link. */
export function writeClusterFiles(info: LabInfo): void {
  for (const name of regionNames) {
    const place = clusterPlaceOf(info, name);
    const other = regionNames.find((each) => each !== name) ?? name;
    const job = jobPlaceOf(info, name);
    writeFileSync(place.manifest, place.session ? sessionManifest(job, place.session.jar) : standbyManifest(job));
    if (place.drill) writeFileSync(place.drill.manifest, drillManifest(job, drillArgs(info)));
    const text = readFileSync(place.kubeconfig, 'utf8');
    const through = proxyOf(info, other, name, 'kubernetes');
    writeFileSync(place.remoteKubeconfig, kubeconfigThrough(text, through), { mode: 0o600 });
  }
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, unknown>> }[];
}

/** The same access by another `host:port`; the server's certificate bears its own names. */
export function kubeconfigThrough(kubeconfig: string, hostPort: string): string {
  const { clusters, ...rest } = parse(kubeconfig) as Kubeconfig;
  const by = { server: `https://${hostPort}`, 'tls-server-name': 'kubernetes.default.svc' };
  return stringify({ ...rest, clusters: clusters.map((each) => ({ ...each, cluster: { ...each.cluster, ...by } })) });
}
