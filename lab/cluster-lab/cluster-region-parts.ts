import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { clusterRegion } from '../cluster/cluster-region.ts';
import { installFlink } from '../cluster-job/install-flink.ts';
import { clusterJob, jobDeployment } from '../cluster-job/job-objects.ts';
import { sessionCluster } from '../cluster-job/session-objects.ts';
import { type AskFlink, untilJobRuns } from '../components/flink-job.ts';
import { type LabInfo, names, type RegionName } from '../lab-info.ts';
import type { PartStarter } from '../start-parts.ts';
import { askThroughApi } from './ask-flink.ts';
import { clusterPlaceOf, jobPlaceOf } from './places.ts';

const flinkMs = 300_000;

/**
 * The parts of a region with pods whose node is up: broker, objects, operator, ingest; on the primary the job, on a warm
 * standby the session cluster that waits for it.
 */
export async function clusterRegionParts(name: RegionName, starter: PartStarter): Promise<string> {
  const { component, info, kafka, signal, step } = starter;
  const { record, node, session } = clusterPlaceOf(info, name);
  const { objects, drill } = info.regions[name];
  const { java } = info.artifacts;
  const drillKeys = drill && { ...objects, ...drill };
  const options = { labId: info.id, java, objects, signal, ...(drillKeys && { drills: drillKeys }) };
  const install = () => installFlink(clusterRegion(record, node), options);
  const serving = async (): Promise<string> => {
    await Promise.all([kafka(name), component(name, 'objects'), step(`${name}/operator`, install)]);
    if (name === names.primary) return step('job', () => runJob(info, signal));
    if (session) await step(`${name}/session cluster`, () => runSessionCluster(info, name, signal));
    return '';
  };
  const [jobId] = await Promise.all([serving(), component(name, 'ingest')]);
  return jobId;
}

function runJob(info: LabInfo, signal: AbortSignal): Promise<string> {
  const object = jobDeployment(jobPlaceOf(info, names.primary), 'running');
  return withDeployment(info, names.primary, object, signal, async (ask, firstAnswer) => {
    const endsAt = performance.now() + flinkMs;
    const id = await firstAnswer('/jobs', (said) => (said.jobs as readonly { id: string }[])[0]?.id);
    await untilJobRuns(ask, id, { timeoutMs: Math.max(1_000, endsAt - performance.now()), signal });
    return id;
  });
}

async function runSessionCluster(info: LabInfo, name: RegionName, signal: AbortSignal): Promise<void> {
  const object = sessionCluster(jobPlaceOf(info, name));
  const isReady = (said: Readonly<Record<string, unknown>>) =>
    Number(said['slots-available']) >= names.parallelism ? true : undefined;
  await withDeployment(info, name, object, signal, (_, firstAnswer) => firstAnswer('/overview', isReady));
}

/** Asks a path until what it says is something; while the pods start, nobody answers. `JobFailed` after 300 s. */
type FirstAnswer = <T>(path: string, read: (said: Readonly<Record<string, unknown>>) => T | undefined) => Promise<T>;

/** Applies a FlinkDeployment to a region, and lets `use` ask its REST interface. */
async function withDeployment<T>(
  info: LabInfo,
  region: RegionName,
  object: KubernetesObject,
  signal: AbortSignal,
  use: (ask: AskFlink, firstAnswer: FirstAnswer) => Promise<T>,
): Promise<T> {
  const { kubeconfig, deployment } = clusterPlaceOf(info, region);
  const transport = await clientNodeTransport(region, { kind: 'kubeconfig', files: [kubeconfig] });
  const api = kubernetesClient(transport);
  const ask = askThroughApi(transport, deployment);
  const endsAt = performance.now() + flinkMs;
  try {
    await api.apply(object, { signal });
    return await use(ask, async (path, read) => {
      for (;;) {
        const said = await ask(path, signal).catch(() => undefined);
        const answer = said && read(said);
        if (answer !== undefined) return answer;
        if (performance.now() > endsAt) throw await notStarted(api, object);
        await sleep(500, undefined, { signal });
      }
    });
  } finally {
    await api.close();
  }
}

async function notStarted(api: KubernetesApi, { apiVersion, kind, metadata }: KubernetesObject): Promise<ArgusError> {
  const { namespace } = clusterJob;
  const object = await api.get({ apiVersion, kind, namespace, name: metadata.name }).catch(() => undefined);
  const said = JSON.stringify(object?.status ?? 'nothing').slice(0, 1_000);
  return new ArgusError('JobFailed', `${metadata.name} was not started in ${flinkMs / 1000} s`, {
    hint: `the operator says: ${said}`,
  });
}
