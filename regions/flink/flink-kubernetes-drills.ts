import { bubbleOf, drillOf, isOfSomeDrill } from '../../domain/bubble.ts';
import { ArgusError } from '../../domain/errors.ts';
import { flinkDeploymentKind } from './flink-deployment.ts';
import type { FlinkJobs } from './flink-jobs.ts';
import { type FlinkKubernetesOptions, flinkKubernetesJobs } from './flink-kubernetes-jobs.ts';
import { type KubernetesJob, lookAt } from './flink-kubernetes-look.ts';
import { startDeployment } from './flink-kubernetes-start.ts';
import { forceDeployment, stopDeployment } from './flink-kubernetes-stop.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The objects that drills' jobs are made as. */
export interface DrillDeployments {
  /** Names of the FlinkDeployments of any drill, also of those whose job has ended. */
  list(options?: CallOptions): Promise<readonly string[]>;
  /** Asks for the end of one; a missing one is no error. */
  delete(name: string, options?: CallOptions): Promise<void>;
}

/** A Flink as drills use it. */
export interface DrillFlink extends FlinkJobs {
  /** Absent: jobs run in a session cluster, and are no objects. */
  readonly deployments?: DrillDeployments;
}

/** Where drills' jobs are made in a region. */
export type FlinkDrillOptions = Pick<FlinkKubernetesOptions, 'region' | 'kubernetes' | 'rest' | 'startTimeoutMs'> & {
  /** Those of drills alone: nothing is asked for or changed in any other. */
  readonly namespaces: readonly string[];
};

const podKind = { apiVersion: 'v1', kind: 'Pod' };
const flinkPods = 'type in (flink-native-kubernetes,flink-standalone-kubernetes)';

/**
 * The jobs of drills as FlinkDeployments: nothing is known of them but what their names tell, and whoever begins after a
 * drill that died finds them by these. A job's id and its object's name are made of the same parts, so that each tells
 * the other; whatever is not of a drill is neither seen nor touched.
 */
export function flinkKubernetesDrills(options: FlinkDrillOptions): DrillFlink {
  const { region, kubernetes, namespaces } = options;
  const ports = new Map<string, FlinkJobs>();

  function portOf(place: KubernetesJob): FlinkJobs {
    const key = `${place.namespace}/${place.deployment}`;
    const port = ports.get(key) ?? flinkKubernetesJobs({ ...options, jobs: [place] });
    ports.set(key, port);
    return port;
  }

  /** What is there of drills: objects, and pods that outlived theirs. */
  async function placesOf(call: CallOptions): Promise<readonly KubernetesJob[]> {
    const found = await Promise.all(
      namespaces.map(async (namespace) => {
        const [objects, pods] = await Promise.all([
          kubernetes.list(flinkDeploymentKind, { namespace }, call),
          kubernetes.list(podKind, { namespace, labels: flinkPods }, call),
        ]);
        const names = new Set([
          ...objects.map(({ metadata }) => metadata.name),
          ...pods.flatMap(({ metadata }) => metadata.labels?.app ?? []),
        ]);
        return [...names].filter((name) => isDrills(name)).map((name) => placed(namespace, name));
      }),
    );
    return found.flat();
  }

  /** Where the job of an id is; with one namespace nobody has to be asked. */
  async function placeOf(jobId: string, call: CallOptions): Promise<KubernetesJob> {
    const name = deploymentOf(jobId);
    const [first, ...others] = namespaces;
    if (name === undefined || first === undefined) throw missing(region, jobId);
    if (others.length === 0) return placed(first, name);
    const place = (await placesOf(call)).find(({ deployment }) => deployment === name);
    if (place === undefined) throw missing(region, jobId);
    return place;
  }

  const ask = async <T>(jobId: string, call: CallOptions, question: (flink: FlinkJobs) => Promise<T>): Promise<T> =>
    question(portOf(await placeOf(jobId, call)));

  async function stop(jobId: string, call: CallOptions): Promise<void> {
    await stopDeployment(kubernetes, await placeOf(jobId, call), 'delete', call);
  }

  return {
    async list(call = {}) {
      const places = await placesOf(call);
      const found = await Promise.all(
        places.map(async (place) => {
          const id = jobIdOf(place.deployment);
          // Pods without their object tell no id, but their name does.
          return (await portOf(place).list(call)).map((job) => ({ ...job, id: isDrillsJob(job.id) ? job.id : id }));
        }),
      );
      return found.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
    },
    checkpoints: (jobId, call = {}) => ask(jobId, call, (flink) => flink.checkpoints(jobId, call)),
    snapshots: (jobId, call = {}) => ask(jobId, call, (flink) => flink.snapshots(jobId, call)),
    settings: (jobId, call = {}) => ask(jobId, call, (flink) => flink.settings(jobId, call)),
    failureOf: (jobId, call = {}) => ask(jobId, call, (flink) => flink.failureOf(jobId, call)),
    // Each job brings its own: there are none to be had.
    slots: async () => ({ free: 0, total: 0 }),

    async start(start, call = {}) {
      const { manifest, jobId = '' } = start;
      const { name = '', namespace = '' } = manifest?.metadata ?? {};
      if (manifest === undefined || !namespaces.includes(namespace) || deploymentOf(jobId) !== name) {
        throw new ArgusError('OutsideBubble', `${namespace}/${name} is no FlinkDeployment for a drill in ${region}`, {
          exitCode: 3,
        });
      }
      const text = {
        kind: 'text',
        name: `the drill's manifest of ${start.name ?? name}`,
        text: asText(manifest),
      } as const;
      const place = { ...placed(namespace, name), manifest: text };
      // Asked for before, and not heard.
      const { deployment } = await lookAt(kubernetes, place, call);
      if (deployment?.jobId === jobId && !deployment.deleting) return { jobId };
      return startDeployment(kubernetes, place, start, { ...call, timeoutMs: options.startTimeoutMs ?? 100_000 });
    },
    cancel: (jobId, call = {}) => stop(jobId, call),
    settle: (jobId, call = {}) => stop(jobId, call),
    async forceStop(jobId, call = {}) {
      return forceDeployment(kubernetes, await placeOf(jobId, call), call);
    },

    deployments: {
      async list(call = {}) {
        const listed = namespaces.map((namespace) => kubernetes.list(flinkDeploymentKind, { namespace }, call));
        return (await Promise.all(listed))
          .flat()
          .map(({ metadata }) => metadata.name)
          .filter((name) => isDrills(name));
      },
      async delete(name, call = {}) {
        if (!isDrills(name)) throw missing(region, name);
        for (const namespace of namespaces) await stopDeployment(kubernetes, placed(namespace, name), 'delete', call);
      },
    },
  };
}

const placed = (namespace: string, deployment: string): KubernetesJob => ({ name: deployment, namespace, deployment });

/** JSON is YAML. */
const asText = (manifest: object) => JSON.stringify(manifest);

const isDrillsJob = (id: string) => isOfSomeDrill('flinkJob', id);

/** Whether a name is one that a drill gives, to the last sign. */
const isDrills = (name: string): boolean => {
  const run = drillOf('kubernetes', name);
  return run !== undefined && bubbleOf(run).kubernetes(numberOf(name)) === name;
};

const numberOf = (name: string) => Math.min(0xffff, Number.parseInt(/\d{1,5}$/.exec(name)?.[0] ?? '0', 10));

/** The id of the job whose object has this name. */
function jobIdOf(name: string): string {
  return bubbleOf(drillOf('kubernetes', name) ?? '').flinkJobId(numberOf(name));
}

/** The name of the object whose job has this id; undefined: it is no drill's. */
function deploymentOf(jobId: string): string | undefined {
  const run = drillOf('flinkJob', jobId);
  return run === undefined ? undefined : bubbleOf(run).kubernetes(Number.parseInt(jobId.slice(28), 16));
}

const missing = (region: string, id: string) =>
  new ArgusError('JobMissing', `no FlinkDeployment of a drill in ${region} has the job ${id}`);
