import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** Does the API server of a region answer? Gives its version. */
export function probeKubernetes(
  kubernetes: Pick<KubernetesApi, 'version'>,
  options: ProbeOptions,
): Promise<ProbeOf<string>> {
  return probe((call) => kubernetes.version(call), options);
}
