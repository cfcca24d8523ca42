import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import type { KubernetesApi, KubernetesObject, WatchEvent } from '../../regions/kubernetes/kubernetes-api.ts';
import { kubernetesCalls } from '../../regions/kubernetes/kubernetes-calls.ts';
import { watchSource } from '../../regions/kubernetes/kubernetes-lists.ts';
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
    expect(performance.now() - startedAt).toBeLessThan(5_000);
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

test('a watch begins on a definition that is as new as can be, though its storage is not ready yet', async () => {
  const plural = 'widgets';
  const names = { plural, singular: 'widget', kind: 'Widget', listKind: 'WidgetList' };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  await admin.create({
    ...definition,
    metadata: { name: `${plural}.argus.test` },
    spec: {
      group: 'argus.test',
      scope: 'Namespaced',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  const widget = { apiVersion: 'argus.test/v1', kind: 'Widget' };
  // Found by discovery a moment later; then at once.
  for (let known = false; !known; await sleep(20)) {
    known = await admin.get({ ...widget, name: 'a' }).then(
      () => true,
      () => false,
    );
  }
  const end = new AbortController();
  const told: string[] = [];
  await admin.apply({ ...widget, metadata: { name: 'a', namespace: 'default' } });
  for await (const event of admin.watch(widget, {}, { signal: end.signal, periodMs: 5_000 })) {
    told.push(event.type);
    if (event.type === 'synced') break;
  }
  expect(told).toEqual(['added', 'synced']);
  // And when it goes, that is told as what it is.
  await admin.delete({ ...definition, name: `${plural}.argus.test` });
  for (let there = true; there; await sleep(50)) {
    there = (await admin.get({ ...definition, name: `${plural}.argus.test` })) !== undefined;
  }
  await expect(admin.list(widget)).rejects.toMatchObject({ code: 'KubernetesKindMissing' });
});

test('a server that is not there is told at once', async () => {
  const url = `https://127.0.0.1:${await freePort()}`;
  const nobody = await cluster.connect({ kind: 'server', url, token: async () => 'x' });
  await expect(nobody.version()).rejects.toMatchObject({
    code: 'KubernetesUnreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});
