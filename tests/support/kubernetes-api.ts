import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { applyCrds, flinkCrds } from '../../lab/kubernetes/flink-crds.ts';
import { type KubernetesApiServer, startKubernetesApi } from '../../lab/kubernetes/start-kubernetes-api.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesAccess } from '../../regions/kubernetes/kubernetes-access.ts';
import type { AccessQuestion, KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { type KubernetesClientOptions, kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { freePort } from './kafka-broker.ts';

/** A real API server without nodes: nothing runs in it, and what writes a status is the test. */
export interface TestKubernetes {
  readonly server: KubernetesApiServer;
  /** As the user who may do everything. */
  readonly admin: KubernetesApi;
  /** Another client of it; closed with the server. */
  connect(access: KubernetesAccess, options?: KubernetesClientOptions): Promise<KubernetesApi>;
  /** SIGKILL and another start with the same data and port. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface TestKubernetesOptions {
  readonly with?: readonly ('controller-manager' | 'scheduler')[];
  /** Whether it knows FlinkDeployment and FlinkSessionJob; default: yes. */
  readonly flink?: boolean;
}

/** The hook that starts one may first have to build it, at a load that is not its own. */
export const buildTimeoutMs = 45 * 60_000;

/** Starts an API server on a free port of 127.0.0.1. Where its program is missing it is built, which is told. */
export async function startTestKubernetes(options: TestKubernetesOptions = {}): Promise<TestKubernetes> {
  const dir = await mkdtemp(join(tmpdir(), 'argus-test-k8s-'));
  const port = await freePort();
  const signal = AbortSignal.timeout(buildTimeoutMs);
  const progress = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
  const begin = () =>
    startKubernetesApi({ dir: join(dir, 'region'), port, signal, progress, with: options.with ?? [] });
  const clients: KubernetesApi[] = [];
  const connect = async (access: KubernetesAccess, clientOptions: KubernetesClientOptions = {}) => {
    const client = kubernetesClient(await clientNodeTransport('mumbai', access), clientOptions);
    clients.push(client);
    return client;
  };
  let server: KubernetesApiServer | undefined;
  const stop = async () => {
    await Promise.allSettled(clients.map((client) => client.close()));
    await server?.kill();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    server = await begin();
    const admin = await connect({ kind: 'kubeconfig', files: [server.kubeconfig] });
    if (options.flink ?? true) await applyCrds(admin, await flinkCrds(signal, progress), signal);
    return {
      get server() {
        return server as KubernetesApiServer;
      },
      admin,
      connect,
      async restart() {
        await server?.kill();
        server = await begin();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A namespace, to be applied. */
export function namespaceNamed(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** Waits until the API server answers so: its authorizer sees roles by a watch of its own, some time after they are made. */
export async function untilAnswered(api: KubernetesApi, question: AccessQuestion, may: boolean): Promise<void> {
  // One question that fails would end the wait.
  const answered = async () => (await api.may(question).catch(() => undefined)) === may;
  await vi.waitUntil(answered, { timeout: 60_000, interval: 20 });
}

/** Waits until a verb is gone, of a resource as a role names it (`pods/log`). */
export async function untilTaken(
  api: KubernetesApi,
  { verb, resource, group, namespace }: Omit<AccessQuestion, 'subresource' | 'name'>,
): Promise<void> {
  const [plural = '', subresource] = resource.split('/');
  await untilAnswered(api, { verb, group, resource: plural, subresource, namespace }, false);
}
