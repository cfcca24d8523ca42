import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { flinkDeploymentKind, readDeployment } from '../../regions/flink/flink-deployment.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import type { TestKubernetes } from './kubernetes-api.ts';

const finalizer = 'flinkdeployments.flink.apache.org/finalizer';
const podKind = { apiVersion: 'v1', kind: 'Pod' };

/**
 * Plays the Flink operator, the kubelet and the jobs for a cluster without nodes: *simulated*. It does with a path what
 * operator 1.7.0 was seen to do: only an object that has never run takes it. Objects, rules, deletions and finalizers
 * are the API server's own.
 */
export interface SimulatedFlinkOperator {
  /** Root of the REST interface of all deployments: `<url>/<namespace>/<deployment>`. */
  readonly url: string;
  /** The operator is down: nothing is done until it is resumed. */
  pause(): void;
  resume(): void;
  /** Pods that it makes from now on are on a node that never answers: they don't end by themselves. */
  loseNode(lost: boolean): void;
  stop(): Promise<void>;
}

interface RunningJob {
  readonly id: string;
  readonly restored: string | undefined;
  /** Folder of its checkpoints. */
  readonly folder: string;
  readonly startedAtMs: number;
}

/** Watches a namespace of the cluster until it is stopped. A path with `no/such` doesn't exist. */
export async function simulateFlinkOperator(
  cluster: TestKubernetes,
  namespace: string,
): Promise<SimulatedFlinkOperator> {
  const { admin } = cluster;
  const transport = await clientNodeTransport('simulated', { kind: 'kubeconfig', files: [cluster.server.kubeconfig] });
  const jobs = new Map<string, RunningJob>();
  /** Jobs that were stopped with a savepoint: their JobManagers stay, as the operator has them configured. */
  const finished = new Set<string>();
  let paused = false;
  let lost = false;
  let stopped = false;

  const server = createServer((request, response) => {
    const [, , deployment = '', ...rest] = (request.url ?? '').split('/');
    const job = jobs.get(deployment);
    const path = rest.join('/');
    if (job && request.method === 'POST' && path === `jobs/${job.id}/stop`) finished.add(job.id);
    const answer = job && restAnswer(job, path, finished.has(job.id));
    // A JobManager that isn't there closes nothing and opens nothing: the connection ends.
    if (!jobs.has(deployment)) request.socket.destroy();
    else response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { errors: ['not found'] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function writeStatus(object: KubernetesObject, plural: string, root: string, status: object): Promise<void> {
    const answer = await transport.send({
      method: 'PATCH',
      path: `${root}/namespaces/${namespace}/${plural}/${object.metadata.name}/status`,
      body: JSON.stringify({ status }),
      contentType: 'application/merge-patch+json',
      signal: AbortSignal.timeout(60_000),
    });
    if (answer.status >= 300 && answer.status !== 404) throw new Error(`status: ${await answer.text()}`);
  }

  const deploymentStatus = (object: KubernetesObject, status: object) =>
    writeStatus(object, 'flinkdeployments', `/apis/${flinkDeploymentKind.apiVersion}`, status);

  async function reconcile(object: KubernetesObject): Promise<void> {
    const seen = readDeployment(object);
    const { name } = object.metadata;
    const pods = await admin.list(podKind, { namespace, labels: `app=${name}` });
    const ref = { ...flinkDeploymentKind, namespace, name };
    const job = jobs.get(name);
    if (seen.deleting) {
      jobs.delete(name);
      await endPods(admin, pods);
      if (seen.finalizers.length > 0) await admin.patch(ref, { metadata: { finalizers: null } });
    } else if (seen.finalizers.length === 0) {
      await admin.patch(ref, { metadata: { finalizers: [finalizer] } });
    } else if (seen.wanted === 'running' && job === undefined) {
      for (const component of ['jobmanager', 'taskmanager']) {
        await admin.create(podOf(name, namespace, component, lost));
      }
      const missing = seen.savepointPath?.includes('no/such') === true;
      const id = seen.jobId ?? 'f'.repeat(32);
      jobs.set(name, {
        id,
        startedAtMs: Date.now(),
        folder: folderOf(object) ?? 's3://replica/checkpoints',
        // An object that ran before takes its own state; the nonce, which operator 1.7.0 doesn't know, is documented to
        // make it take the path.
        restored:
          seen.ran && seen.redeployNonce === undefined
            ? `s3://own/checkpoints/${'e'.repeat(32)}/chk-3`
            : seen.savepointPath,
      });
      if (missing) {
        jobs.delete(name);
        await crash(name);
      }
      await deploymentStatus(object, {
        jobManagerDeploymentStatus: 'READY',
        lifecycleState: 'DEPLOYED',
        clusterInfo: { 'flink-version': '1.20.5' },
        jobStatus: { jobId: id, state: missing ? 'INITIALIZING' : 'RUNNING', startTime: `${Date.now()}` },
        reconciliationStatus: { state: 'DEPLOYED', lastReconciledSpec: JSON.stringify(object.spec) },
      });
    } else if (seen.wanted === 'suspended' && job !== undefined) {
      jobs.delete(name);
      await endPods(admin, pods);
      await deploymentStatus(object, { lifecycleState: 'SUSPENDED', jobStatus: { state: 'FINISHED' } });
    }
  }

  /** A JobManager that ended over its path, as its pod tells it. */
  async function crash(name: string): Promise<void> {
    const pod = podOf(name, namespace, 'jobmanager', lost);
    await writeStatus(pod, 'pods', '/api/v1', {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'flink-main-container',
          image: 'registry.example/argus-flink:1.20.5',
          imageID: '',
          ready: false,
          restartCount: 2,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: {
            terminated: {
              exitCode: 1,
              reason: 'Error',
              message: 'Cannot find checkpoint or savepoint file/directory s3://replica/no/such',
            },
          },
        },
      ],
    });
  }

  const loop = (async () => {
    const crashed = new Set<string>();
    while (!stopped) {
      await sleep(100);
      if (paused) continue;
      const objects = await admin.list(flinkDeploymentKind, { namespace }).catch(() => undefined);
      if (objects === undefined) continue;
      for (const name of jobs.keys()) if (!objects.some((each) => each.metadata.name === name)) jobs.delete(name);
      for (const object of objects) {
        const { uid = '' } = object.metadata;
        if (crashed.has(uid) && object.metadata.deletionTimestamp === undefined) continue;
        // Whoever changed it meanwhile is seen in the next round.
        await reconcile(object).catch(() => undefined);
        if (JSON.stringify(object.spec).includes('no/such') && object.metadata.finalizers) crashed.add(uid);
      }
    }
  })();

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
    loseNode: (is) => {
      lost = is;
    },
    async stop() {
      stopped = true;
      await loop;
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function endPods(admin: KubernetesApi, pods: readonly KubernetesObject[]): Promise<void> {
  for (const { metadata } of pods)
    await admin.delete({ ...podKind, namespace: metadata.namespace, name: metadata.name });
}

function podOf(deployment: string, namespace: string, component: string, lost: boolean): KubernetesObject {
  return {
    ...podKind,
    metadata: {
      name: `${deployment}-${component}`,
      namespace,
      labels: { app: deployment, component, type: 'flink-native-kubernetes' },
    },
    spec: {
      ...(lost ? { nodeName: 'lost-node' } : {}),
      automountServiceAccountToken: false,
      containers: [{ name: 'flink-main-container', image: 'registry.example/argus-flink:1.20.5' }],
    },
  };
}

/** Where the object's settings have its checkpoints; only by Flink 2's key, and by Flink 1.20's. */
function folderOf({ spec }: KubernetesObject): string | undefined {
  const { flinkConfiguration } = spec as { readonly flinkConfiguration?: Readonly<Record<string, string>> };
  return flinkConfiguration?.['execution.checkpointing.dir'];
}

/** What a job's REST interface says; undefined: 404. Shapes: fixtures/flink-rest. */
function restAnswer(job: RunningJob, path: string, finished: boolean): object | undefined {
  const own = `jobs/${job.id}`;
  if (path === `${own}/stop`) return { 'request-id': 'a'.repeat(32) };
  if (path.startsWith(`${own}/savepoints/`)) {
    if (!finished) return undefined;
    return { status: { id: 'COMPLETED' }, operation: { location: `s3://primary/savepoints/savepoint-${job.id}` } };
  }
  const restored = job.restored && { id: 10, restore_timestamp: job.startedAtMs, external_path: job.restored };
  const chk = {
    id: 11,
    status: 'COMPLETED',
    is_savepoint: false,
    latest_ack_timestamp: job.startedAtMs + 1,
    external_path: `${job.folder}/${job.id}/chk-11`,
  };
  const answers: Record<string, object> = {
    'jobs/overview': {
      jobs: [{ jid: job.id, name: 'counts', state: finished ? 'FINISHED' : 'RUNNING', 'start-time': job.startedAtMs }],
    },
    [own]: { vertices: [{ name: 'Source: events -> counts: Writer' }] },
    [`${own}/checkpoints`]: {
      counts: { completed: 1, failed: 0 },
      latest: { completed: chk, restored },
      history: [chk],
    },
    [`${own}/checkpoints/config`]: {
      mode: 'exactly_once',
      interval: 5_000,
      timeout: 60_000,
      externalization: { enabled: true, delete_on_cancellation: false },
    },
    [`${own}/exceptions?maxExceptions=1`]: { exceptionHistory: { entries: [] } },
    'jobmanager/config': [{ key: 'execution.checkpointing.num-retained', value: '3' }],
    config: { 'flink-version': '1.20.5' },
  };
  return answers[path];
}
