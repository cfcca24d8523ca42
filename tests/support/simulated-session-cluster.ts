import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { flinkDeploymentKind } from '../../regions/flink/flink-deployment.ts';
import { flinkSessionJobKind, readSessionJob } from '../../regions/flink/flink-session-job.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import type { TestKubernetes } from './kubernetes-api.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod' };
const finalizer = 'flinksessionjobs.flink.apache.org/finalizer';

/**
 * Plays the Flink operator, the kubelet, session clusters and the jobs in them for a cluster without nodes: *simulated*.
 * It does with a path and with ids what the sources of operator 1.7.0 say (SessionJobReconciler, FlinkUtils). Objects,
 * rules, deletions and finalizers are the API server's own.
 */
export interface SimulatedSessionClusters {
  /** Root of the REST interface of all session clusters: `<url>/<namespace>/<deployment>`. */
  readonly url: string;
  /** The operator is down: nothing is done until it is resumed. */
  pause(): void;
  resume(): void;
  /** The operator lets an object go without having cancelled its job, as it does after an error of its REST client. */
  loseCancellations(lost: boolean): void;
  /** The REST interfaces close every connection. */
  silence(silent: boolean): void;
  /** What Flink has, by its own ids. */
  jobs(): readonly { readonly id: string; readonly state: string }[];
  stop(): Promise<void>;
}

interface ClusterJob {
  readonly id: string;
  readonly cluster: string;
  readonly restored: string | undefined;
  readonly startedAtMs: number;
  state: string;
}

/** Watches a namespace of the cluster until it is stopped. A path with `no/such` doesn't exist. */
export async function simulateSessionClusters(
  cluster: TestKubernetes,
  namespace: string,
): Promise<SimulatedSessionClusters> {
  const { admin } = cluster;
  const transport = await clientNodeTransport('simulated', { kind: 'kubeconfig', files: [cluster.server.kubeconfig] });
  const jobs: ClusterJob[] = [];
  const ready = new Set<string>();
  let paused = false;
  let lost = false;
  let silent = false;
  let stopped = false;

  const server = createServer((request, response) => {
    const [, , name = '', ...rest] = (request.url ?? '').split('/');
    // A JobManager that isn't there closes nothing and opens nothing: the connection ends.
    if (silent || !ready.has(name)) return void request.socket.destroy();
    const inIt = jobs.filter((job) => job.cluster === name);
    const answer = restAnswer(inIt, request.method ?? '', rest.join('/'));
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { errors: ['not found'] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function writeStatus(object: KubernetesObject, plural: string, status: object): Promise<void> {
    const answer = await transport.send({
      method: 'PATCH',
      path: `/apis/${flinkSessionJobKind.apiVersion}/namespaces/${namespace}/${plural}/${object.metadata.name}/status`,
      body: JSON.stringify({ status }),
      contentType: 'application/merge-patch+json',
      signal: AbortSignal.timeout(60_000),
    });
    if (answer.status >= 300 && answer.status !== 404) throw new Error(`status: ${await answer.text()}`);
  }

  async function reconcileCluster(object: KubernetesObject): Promise<void> {
    const { name } = object.metadata;
    if (ready.has(name)) return;
    for (const component of ['jobmanager', 'taskmanager']) await admin.create(podOf(name, namespace, component));
    ready.add(name);
    const reconciliationStatus = { state: 'DEPLOYED', lastReconciledSpec: JSON.stringify(object.spec) };
    const jobManagerDeploymentStatus = 'READY';
    await writeStatus(object, 'flinkdeployments', {
      jobManagerDeploymentStatus,
      lifecycleState: 'STABLE',
      clusterInfo: { 'flink-version': '1.20.5' },
      reconciliationStatus,
    });
  }

  async function reconcileJob(object: KubernetesObject): Promise<void> {
    const seen = readSessionJob(object);
    const { name, uid = '', generation = 1 } = object.metadata;
    const ref = { ...flinkSessionJobKind, namespace, name };
    const { deploymentName } = object.spec as { deploymentName: string };
    const own = jobs.find((job) => job.id === seen.flinkId);
    if (seen.deleting) {
      if (own?.state === 'RUNNING' && !lost) own.state = 'CANCELED';
      if (seen.finalizers.length > 0) await admin.patch(ref, { metadata: { finalizers: null } });
    } else if (seen.finalizers.length === 0) {
      await admin.patch(ref, { metadata: { finalizers: [finalizer] } });
    } else if (seen.wanted === 'running' && (own === undefined || seen.lifecycle === 'SUSPENDED')) {
      if (!ready.has(deploymentName)) return;
      // The upper half of the uid, then the generation.
      const id = uid.replaceAll('-', '').slice(0, 16) + generation.toString(16).padStart(16, '0');
      const missing = seen.savepointPath?.includes('no/such') === true;
      // One that ran before takes its own state.
      const restored = seen.ran ? `s3://own/savepoints/savepoint-${id.slice(0, 6)}` : seen.savepointPath;
      const state = missing ? 'FAILED' : 'RUNNING';
      jobs.push({
        id,
        cluster: deploymentName,
        restored: missing ? undefined : restored,
        startedAtMs: Date.now(),
        state,
      });
      await writeStatus(object, 'flinksessionjobs', {
        lifecycleState: missing ? 'FAILED' : 'STABLE',
        jobStatus: { jobId: id, state: missing ? 'RECONCILING' : 'RUNNING', startTime: `${Date.now()}` },
        reconciliationStatus: { state: 'DEPLOYED', lastReconciledSpec: JSON.stringify(object.spec) },
      });
    } else if (seen.wanted === 'suspended' && own?.state === 'RUNNING') {
      own.state = 'FINISHED';
      const jobStatus = { jobId: own.id, state: 'FINISHED' };
      await writeStatus(object, 'flinksessionjobs', { lifecycleState: 'SUSPENDED', jobStatus });
    }
  }

  const loop = (async () => {
    while (!stopped) {
      await sleep(100);
      if (paused) continue;
      const [clusters, sessionJobs] = await Promise.all(
        [flinkDeploymentKind, flinkSessionJobKind].map((kind) =>
          admin.list(kind, { namespace }).catch(() => undefined),
        ),
      );
      const sessions = (clusters ?? []).filter(({ spec }) => !(spec as { job?: unknown }).job);
      for (const name of ready) {
        if (clusters === undefined || sessions.some(({ metadata }) => metadata.name === name)) continue;
        ready.delete(name);
        for (const component of ['jobmanager', 'taskmanager'])
          await admin.delete(refOf(podOf(name, namespace, component)));
      }
      // Whoever changed it meanwhile is seen in the next round.
      for (const each of sessions) await reconcileCluster(each).catch(() => undefined);
      for (const each of sessionJobs ?? []) await reconcileJob(each).catch(() => undefined);
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
    loseCancellations: (is) => {
      lost = is;
    },
    silence: (is) => {
      silent = is;
    },
    jobs: () => jobs.map(({ id, state }) => ({ id, state })),
    async stop() {
      stopped = true;
      await loop;
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const refOf = (pod: KubernetesObject) => ({ ...podKind, namespace: pod.metadata.namespace, name: pod.metadata.name });

function podOf(name: string, namespace: string, component: string): KubernetesObject {
  const labels = { app: name, component, type: 'flink-native-kubernetes' };
  return {
    ...podKind,
    metadata: { name: `${name}-${component}`, namespace, labels },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'flink-main-container', image: 'registry.example/argus-flink:1.20.5' }],
    },
  };
}

/** What the cluster's REST interface says; undefined: 404. Shapes: fixtures/flink-rest. */
function restAnswer(jobs: readonly ClusterJob[], method: string, path: string): object | undefined {
  const [, id] = /^jobs\/([0-9a-f]{32})/.exec(path) ?? [];
  const job = jobs.find((each) => each.id === id);
  if (method === 'POST' && job !== undefined && path.endsWith('/stop')) {
    // The savepoint is there at once.
    job.state = 'FINISHED';
    return { 'request-id': 'c'.repeat(32) };
  }
  if (method === 'PATCH') {
    if (job !== undefined) job.state = 'CANCELED';
    return job && {};
  }
  const slots = jobs.some(({ state }) => state === 'RUNNING') ? 0 : 2;
  const overview = jobs.map(({ id: jid, state, startedAtMs }) => ({
    jid,
    name: 'counts',
    state,
    'start-time': startedAtMs,
  }));
  const answers: Record<string, object> = {
    overview: { 'slots-total': 2, 'slots-available': slots },
    'jobs/overview': { jobs: overview },
    'jobmanager/config': [{ key: 'execution.checkpointing.num-retained', value: '3' }],
    config: { 'flink-version': '1.20.5' },
  };
  return answers[path] ?? (job && jobAnswer(job, path.slice(`jobs/${job.id}`.length)));
}

function jobAnswer(job: ClusterJob, path: string): object | undefined {
  const restored = job.restored && { id: 10, restore_timestamp: job.startedAtMs, external_path: job.restored };
  const chk = {
    id: 11,
    status: 'COMPLETED',
    is_savepoint: false,
    latest_ack_timestamp: job.startedAtMs + 1,
    external_path: `s3://replica/checkpoints/${job.id}/chk-11`,
  };
  const stacktrace =
    'org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.\n' +
    'Caused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory s3://replica/no/such';
  const answers: Record<string, object> = {
    '': { vertices: [{ name: 'Source: events -> counts: Writer' }] },
    '/checkpoints': { counts: { completed: 1, failed: 0 }, latest: { completed: chk, restored }, history: [chk] },
    '/checkpoints/config': {
      mode: 'exactly_once',
      interval: 5_000,
      timeout: 60_000,
      externalization: { enabled: true, delete_on_cancellation: false },
    },
    [`/savepoints/${'c'.repeat(32)}`]: {
      status: { id: job.state === 'FINISHED' ? 'COMPLETED' : 'IN_PROGRESS' },
      operation:
        job.state === 'FINISHED' ? { location: `s3://replica/savepoints/savepoint-${job.id.slice(0, 6)}` } : null,
    },
    '/exceptions?maxExceptions=1': { exceptionHistory: { entries: job.state === 'FAILED' ? [{ stacktrace }] : [] } },
  };
  return answers[path];
}
