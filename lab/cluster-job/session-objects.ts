import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { names } from '../lab-info.ts';
import { type ClusterJobPlace, clusterJob, jobDeployment } from './job-objects.ts';

/** The names of the lab's session cluster, and of the job in it. */
export const sessionNames = {
  cluster: 'argus-session',
  job: 'argus-counts',
  manifest: 'flink-session-standby.yaml',
} as const;

interface JobSpec {
  readonly flinkConfiguration: Readonly<Record<string, string>>;
  readonly job: Readonly<Record<string, unknown>>;
}

/** A session cluster with the lab job's settings, whose TaskManager stays while there is no job. */
export function sessionCluster(place: ClusterJobPlace): KubernetesObject {
  const made = jobDeployment(place, 'suspended');
  const { job: _, ...spec } = made.spec as JobSpec;
  const flinkConfiguration = { ...spec.flinkConfiguration, 'slotmanager.number-of-slots.min': `${names.parallelism}` };
  return { ...made, metadata: { ...made.metadata, name: sessionNames.cluster }, spec: { ...spec, flinkConfiguration } };
}

/** The lab's job in that cluster; the operator uploads its jar from `jarPath` on the machine that it runs on. */
export function sessionJob(place: ClusterJobPlace, jarPath: string, state: 'running' | 'suspended'): KubernetesObject {
  const made = jobDeployment(place, state);
  const { job } = made.spec as JobSpec;
  return {
    apiVersion: made.apiVersion,
    kind: 'FlinkSessionJob',
    metadata: { ...made.metadata, name: sessionNames.job },
    spec: {
      deploymentName: sessionNames.cluster,
      // The operator refuses last-state for a session job.
      job: { ...job, jarURI: pathToFileURL(jarPath).href, upgradeMode: 'savepoint' },
    },
  };
}

/** The text of `flink-session-standby.yaml`: cluster and job, ready to be started from a recovery point. */
export function sessionManifest(place: ClusterJobPlace, jarPath: string): string {
  const objects = [sessionCluster(place), sessionJob(place, jarPath, 'suspended')];
  const texts = objects.map((each) => stringify(each, { aliasDuplicateObjects: false }));
  return `# Written by the lab for ${clusterJob.namespace}.\n${texts.join('---\n')}`;
}
