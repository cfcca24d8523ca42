import { expect, test } from 'vitest';
import { flinkRestJobs } from '../../../../regions/flink/flink-rest-jobs.ts';
import type { KubernetesRequest, KubernetesTransport } from '../../../../regions/kubernetes/kubernetes-requests.ts';
import { serviceProxy } from '../../../../regions/kubernetes/service-proxy.ts';

interface Reply {
  readonly status: number;
  readonly body: object;
}

const status = (code: number, reason: string, message: string): Reply => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
});
const overview = { jobs: [{ jid: 'ab', name: 'counts', state: 'RUNNING', 'start-time': 5 }] };

function flinkBehind(...replies: readonly Reply[]) {
  const sent: KubernetesRequest[] = [];
  let renewed = 0;
  const transport: KubernetesTransport = {
    region: 'mumbai',
    server: 'https://10.0.0.1:6443',
    namespace: 'default',
    async send(request) {
      const reply = replies[sent.push(request) - 1] as Reply;
      return {
        status: reply.status,
        retryAfter: undefined,
        text: async () => JSON.stringify(reply.body),
        stream: () => null,
      };
    },
    async renew() {
      renewed++;
    },
    async close() {},
  };
  const service = { namespace: 'argus-data', service: 'argus-flink-rest', port: 'rest' };
  const flink = flinkRestJobs({ region: 'mumbai', url: '', fetch: serviceProxy(transport, service) });
  return { flink, sent, renewed: () => renewed };
}

test("a job's REST interface is asked through the API server", async () => {
  const { flink, sent } = flinkBehind({ status: 200, body: overview });
  expect(await flink.list()).toEqual([{ id: 'ab', name: 'counts', state: 'RUNNING', startedAtMs: 5 }]);
  expect(sent[0]).toMatchObject({
    method: 'GET',
    path: '/api/v1/namespaces/argus-data/services/argus-flink-rest:rest/proxy/jobs/overview',
  });
});

test("what Flink refuses is Flink's word, not that of Kubernetes", async () => {
  const { flink } = flinkBehind({ status: 404, body: { errors: ['Job ab not found'] } });
  await expect(flink.checkpoints('ab')).rejects.toMatchObject({ code: 'JobMissing' });
});

test.each([
  ['no service', status(404, 'NotFound', 'services "argus-flink-rest" not found')],
  ['no pod behind it', status(503, 'ServiceUnavailable', 'no endpoints available for service "argus-flink-rest"')],
  ['a pod that refuses', status(503, 'ServiceUnavailable', 'error trying to reach service: connection refused')],
])('%s: nobody answers', async (_what, reply) => {
  const { flink } = flinkBehind(reply);
  await expect(flink.list()).rejects.toMatchObject({
    code: 'FlinkUnreachable',
    retryable: true,
    // It has no address of its own that could be named.
    message: expect.stringContaining('Flink of mumbai did not answer'),
  });
});

test('without leave, the verb is named', async () => {
  const { flink } = flinkBehind(status(403, 'Forbidden', 'services is forbidden'));
  await expect(flink.list()).rejects.toMatchObject({
    code: 'KubernetesForbidden',
    message: expect.stringContaining('does not allow Argus to get services/proxy in the namespace argus-data'),
  });
});

test('credentials that are refused are read again, once', async () => {
  const expired = status(401, 'Unauthorized', 'Unauthorized');
  const again = flinkBehind(expired, { status: 200, body: overview });
  expect(await again.flink.list()).toHaveLength(1);
  expect(again.renewed()).toBe(1);
  const { flink } = flinkBehind(expired, expired);
  await expect(flink.list()).rejects.toMatchObject({ code: 'KubernetesUnauthenticated' });
});

test('a stop with savepoint is a POST with its request', async () => {
  const stop = { jobId: 'ab', directory: 's3://b/s', triggerId: 'cd', format: 'NATIVE' } as const;
  const { flink, sent } = flinkBehind({ status: 202, body: { 'request-id': 'cd' } });
  await flink.stopWithSavepoint?.(stop);
  expect(sent[0]).toMatchObject({ method: 'POST', contentType: 'application/json' });
  expect(sent[0]?.path).toMatch(/\/proxy\/jobs\/ab\/stop$/);
  expect(JSON.parse(sent[0]?.body ?? '')).toMatchObject({ targetDirectory: 's3://b/s', triggerId: 'cd', drain: false });
  const forbidden = flinkBehind(status(403, 'Forbidden', 'services is forbidden'));
  await expect(forbidden.flink.stopWithSavepoint?.(stop)).rejects.toMatchObject({
    code: 'KubernetesForbidden',
    message: expect.stringContaining('does not allow Argus to create services/proxy'),
  });
});
