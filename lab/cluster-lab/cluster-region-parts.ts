import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { clusterRegion } from '../cluster/cluster-region.ts';
import { installFlink } from '../cluster-job/install-flink.ts';
import { clusterJob, jobDeployment } from '../cluster-job/job-objects.ts';
import { type AskFlink, untilJobRuns } from '../components/flink-job.ts';
import { type LabInfo, names, type RegionName } from '../lab-info.ts';
import type { PartStarter } from '../start-parts.ts';
import { askThroughApi } from './ask-flink.ts';
import { clusterPlaceOf, jobPlaceOf } from './places.ts';

const jobMs = 300_000;

/** The parts of a region with pods whose node is up: broker, objects, operator, ingest; on the primary the job. */
export async function clusterRegionParts(name: RegionName, starter: PartStarter): Promise<string> {
  const { component, info, kafka, signal, step } = starter;
  const { record, node } = clusterPlaceOf(info, name);
  const { objects } = info.regions[name];
  const { java } = info.artifacts;
  const install = () => installFlink(clusterRegion(record, node), { labId: info.id, java, objects, signal });
  const serving = async (): Promise<string> => {
    await Promise.all([kafka(name), component(name, 'objects'), step(`${name}/operator`, install)]);
    return name === names.primary ? step('job', () => runJob(info, signal)) : '';
  };
  const [jobId] = await Promise.all([serving(), component(name, 'ingest')]);
  return jobId;
}

async function runJob(info: LabInfo, signal: AbortSignal): Promise<string> {
  const { kubeconfig } = clusterPlaceOf(info, names.primary);
  const transport = await clientNodeTransport(names.primary, { kind: 'kubeconfig', files: [kubeconfig] });
  const api = kubernetesClient(transport);
  try {
    await api.apply(jobDeployment(jobPlaceOf(info, names.primary), 'running'), { signal });
    const ask = askThroughApi(transport);
    const endsAt = performance.now() + jobMs;
    const jobId = await startedJob(api, ask, endsAt, signal);
    await untilJobRuns(ask, jobId, { timeoutMs: Math.max(1_000, endsAt - performance.now()), signal });
    return jobId;
  } finally {
    await api.close();
  }
}

/** The id of the first job that Flink knows; while its pods start, nobody answers. */
async function startedJob(api: KubernetesApi, ask: AskFlink, endsAt: number, signal: AbortSignal): Promise<string> {
  for (;;) {
    const { jobs = [] } = (await ask('/jobs', signal).catch(() => ({}))) as { jobs?: readonly { id: string }[] };
    if (jobs[0] !== undefined) return jobs[0].id;
    if (performance.now() > endsAt) throw await notStarted(api);
    await sleep(500, undefined, { signal });
  }
}

async function notStarted(api: KubernetesApi): Promise<ArgusError> {
  const { namespace, deployment } = clusterJob;
  const kind = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' };
  const object = await api.get({ ...kind, namespace, name: deployment }).catch(() => undefined);
  const said = JSON.stringify(object?.status ?? 'nothing').slice(0, 1_000);
  return new ArgusError('JobFailed', `the job ${names.job} was not started in ${jobMs / 1000} s`, {
    hint: `the operator says: ${said}`,
  });
}
