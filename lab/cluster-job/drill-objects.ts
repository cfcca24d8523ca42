import { stringify } from 'yaml';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { type ClusterJobPlace, flinkSurroundings, jobDeployment } from './job-objects.ts';

/** Where drills have their jobs in a cluster, and the file with the job's object as they start it. */
export const clusterDrills = { namespace: 'argus-drills', manifest: 'flink-cluster-drill.yaml' } as const;

/** What the jobs of drills need there: the same as production's, with the keys of an account of their own to the bucket. */
export function drillSurroundings(objects: ClusterJobPlace['objects']): readonly KubernetesObject[] {
  return flinkSurroundings(clusterDrills.namespace, objects);
}

/** The text of the manifest: the job's object with arguments whose placeholders Argus fills with names of the drill. */
export function drillManifest(place: ClusterJobPlace, args: readonly string[]): string {
  const { apiVersion, kind, spec } = jobDeployment(place, 'suspended');
  const { job, ...rest } = spec as { readonly job: object };
  const metadata = { name: 'argus-flink-drill' };
  const object = { apiVersion, kind, metadata, spec: { ...rest, job: { ...job, args } } };
  return `# Written by the lab.\n${stringify(object, { aliasDuplicateObjects: false })}`;
}
