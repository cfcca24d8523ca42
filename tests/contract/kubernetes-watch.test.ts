import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKubernetesApi } from '../../lab/kubernetes/start-kubernetes-api.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi, KubernetesObject, WatchEvent } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesCalls } from '../../regions/kubernetes/kubernetes-calls.ts';
import { hasCode } from '../../regions/kubernetes/kubernetes-errors.ts';
import { watchSource } from '../../regions/kubernetes/kubernetes-lists.ts';
import type { KubernetesRequest } from '../../regions/kubernetes/kubernetes-requests.ts';
import { freePort } from '../support/kafka-broker.ts';
import { buildTimeoutMs, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';

let cluster: TestKubernetes;
let admin: KubernetesApi;
const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
const labels = 'watched=yes';

beforeAll(async () => {
  cluster = await startTestKubernetes({ flink: false });
  admin = cluster.admin;
}, buildTimeoutMs);
afterAll(() => cluster?.stop());

const object = (name: string, data: Record<string, string> = {}): KubernetesObject => ({
  ...kind,
  metadata: { name, namespace: 'default', labels: { watched: 'yes' } },
  data,
});
const shortly = (timeoutMs: number) =>
  cluster.connect({ kind: 'kubeconfig', files: [cluster.server.kubeconfig] }, { timeoutMs });

/** A watch that goes on in the background, and what it has told. */
function watching(client: KubernetesApi, periodMs: number) {
  const end = new AbortController();
  const told: string[] = [];
  const describe = (event: WatchEvent) =>
    'object' in event
      ? `${event.type} ${event.object.metadata.name}`
      : event.type === 'lost'
        ? `lost: ${event.error.code}`
        : event.type;
  const done = (async () => {
    for await (const event of client.watch(kind, { labels }, { signal: end.signal, periodMs })) {
      told.push(describe(event));
    }
  })();
  return {
    told,
    /** Until it has told this many things. */
    async until(count: number, ms = 30_000) {
      for (const endsAt = Date.now() + ms; told.length < count && Date.now() < endsAt; ) await sleep(20);
      return told;
    },
    async end() {
      end.abort();
      await done;
    },
  };
}

test('a watch tells what is there and every change, across the ends of its connections', async () => {
  await admin.apply(object('before'));
  const watch = watching(admin, 1_000);
  expect(await watch.until(2)).toEqual(['added before', 'synced']);
  await sleep(1_500);
  await admin.apply(object('during'));
  await watch.until(3);
  await admin.apply(object('during', { a: '1' }));
  await watch.until(4);
  await admin.delete({ ...kind, namespace: 'default', name: 'before' });
  expect((await watch.until(5)).slice(2)).toEqual(['added during', 'modified during', 'deleted before']);
  await watch.end();
});

test('a server that is killed and comes back is told as lost and synced, and nothing is missed', async () => {
  const watch = watching(await shortly(3_000), 20_000);
  await watch.until(2);
  await cluster.server.kill();
  expect((await watch.until(3)).slice(2)).toEqual(['lost: KubernetesUnreachable']);
  await cluster.restart();
  await admin.apply(object('after'));
  await watch.until(5);
  expect(watch.told.slice(3).toSorted()).toEqual(['added after', 'synced']);
  await watch.end();
});

test('a frozen server ends each call by its deadline, and a watch by its silence', async () => {
  const client = await shortly(1_500);
  const watch = watching(client, 1_000);
  await watch.until(1);
  const before = watch.told.length;
  cluster.server.freeze();
  try {
    const startedAt = performance.now();
    await expect(client.get({ ...kind, name: 'after' })).rejects.toMatchObject({
      code: 'KubernetesUnreachable',
      message: expect.stringContaining('did not answer within 1.5 s'),
      retryable: true,
    });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await watch.until(before + 1);
    expect(watch.told.at(-1)).toBe('lost: KubernetesUnreachable');
  } finally {
    cluster.server.thaw();
  }
  await watch.until(before + 2);
  expect(watch.told.at(-1)).toBe('synced');
  await watch.end();
});

test('a position that the server no longer knows is told as expired, which a watch survives by a new list', async () => {
  const access = { kind: 'kubeconfig', files: [cluster.server.kubeconfig] } as const;
  const calls = kubernetesCalls(await clientNodeTransport('mumbai', access), 10_000, 500);
  const signal = AbortSignal.timeout(20_000);
  const reading = async () => {
    for await (const line of await watchSource(calls, kind, {}, 5_000).follow('1', signal)) {
      if (line.type === 'ERROR') throw line.error;
    }
  };
  await expect(reading()).rejects.toMatchObject({ code: 'KubernetesExpired', retryable: true });
  await calls.transport.close();
});

/** A definition of widgets in a group of its own. */
function widgets(group: string): KubernetesObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    ...definition,
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };

test('a server that is not ready for a new definition (429) is asked again when it says', async () => {
  const transport = await clientNodeTransport('mumbai', { kind: 'kubeconfig', files: [cluster.server.kubeconfig] });
  const answers: number[] = [];
  const counting = {
    ...transport,
    send: async (request: KubernetesRequest) => {
      const answer = await transport.send(request);
      answers.push(answer.status);
      return answer;
    },
  };
  const { requests } = kubernetesCalls(counting, 10_000, 500);
  const list = async (group: string) => {
    const call = { verb: 'list', method: 'GET', path: `/apis/${group}/v1/widgets` } as const;
    for (;;) {
      const found = await requests.json(call, undefined).catch((error: unknown) => error);
      if (!hasCode(found, 'KubernetesKindMissing')) return found;
    }
  };
  // It is not ready for some milliseconds, which may be missed.
  for (let i = 0; i < 10 && !answers.includes(429); i++) {
    await admin.create(widgets(`new${i}.argus.test`));
    expect(await list(`new${i}.argus.test`)).toMatchObject({ kind: 'WidgetList', items: [] });
  }
  expect(answers.slice(-2)).toEqual([429, 200]);
  await transport.close();
});

test('a definition that goes is told as what it is, though it was known before', async () => {
  const widget = { apiVersion: 'gone.argus.test/v1', kind: 'Widget' };
  await admin.create(widgets('gone.argus.test'));
  for (let known = false; !known; await sleep(20)) {
    known = await admin.list(widget).then(
      () => true,
      () => false,
    );
  }
  const ref = { ...definition, name: 'widgets.gone.argus.test' };
  await admin.delete(ref);
  while ((await admin.get(ref)) !== undefined) await sleep(50);
  for (let there = true; there; await sleep(50)) {
    // What is served follows a moment later.
    there = await admin.list(widget).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'KubernetesKindMissing' });
        return false;
      },
    );
  }
});

test('a server that is not there is told at once', async () => {
  const url = `https://127.0.0.1:${await freePort()}`;
  const nobody = await cluster.connect({ kind: 'server', url, token: async () => 'x' });
  await expect(nobody.version()).rejects.toMatchObject({
    code: 'KubernetesUnreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a start at a port that is taken says so, and leaves no process', async () => {
  const port = Number(new URL(cluster.server.server).port);
  const dir = join(cluster.server.dir, 'second');
  const starting = startKubernetesApi({ dir, port });
  await expect(starting).rejects.toMatchObject({
    code: 'ComponentFailed',
    message: expect.stringContaining('address already in use'),
  });
});

test('it ends with the process that started it', async () => {
  const port = await freePort();
  const dir = join(cluster.server.dir, 'third');
  const args = ['up', '--dir', dir, '--port', `${port}`, '--with-parent'];
  const child = spawn(cluster.server.binary, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!existsSync(join(dir, 'kubeconfig'))) await sleep(20);
  // What the system does when that process is gone, however it went.
  child.stdin.end();
  expect(await ended).toBe(0);
});
