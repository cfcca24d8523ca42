import { expect, test } from 'vitest';
import {
  type KubernetesAnswer,
  type KubernetesRequest,
  type KubernetesTransport,
  kubernetesRequests,
} from '../../../../regions/kubernetes/kubernetes-requests.ts';

type Reply = { readonly status: number; readonly text?: string; readonly retryAfter?: string } | 'silence';

function transport(replies: readonly Reply[]) {
  const sent: KubernetesRequest[] = [];
  let renewed = 0;
  const it: KubernetesTransport = {
    region: 'mumbai',
    server: 'https://10.0.0.1:6443',
    namespace: 'default',
    send(request) {
      const reply = replies[sent.push(request) - 1];
      if (reply === undefined) throw new Error('a request too many');
      if (reply === 'silence') {
        return new Promise<KubernetesAnswer>((_, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        });
      }
      const { status, text = '{}', retryAfter } = reply;
      return Promise.resolve({ status, retryAfter, text: async () => text, stream: () => null });
    },
    async renew() {
      renewed++;
    },
    async close() {},
  };
  return { it, sent, renewed: () => renewed };
}

const call = { verb: 'ask for the version', method: 'GET' as const, path: '/version' };

test('gives the answer, with the query that has values', async () => {
  const { it, sent } = transport([{ status: 200, text: '{"a":1}' }]);
  const query = { limit: 500, continue: undefined, labelSelector: 'app=a,b!=c' };
  expect(await kubernetesRequests(it, 1_000).json({ ...call, query }, undefined)).toEqual({ a: 1 });
  expect(sent[0]?.path).toBe('/version?limit=500&labelSelector=app%3Da%2Cb%21%3Dc');
});

test('a server that is asked too often is asked again when it says', async () => {
  const { it, sent } = transport([{ status: 429, retryAfter: '0' }, { status: 429, retryAfter: '0' }, { status: 200 }]);
  await kubernetesRequests(it, 5_000).json(call, undefined);
  expect(sent).toHaveLength(3);
});

test('not beyond the deadline', async () => {
  const { it, sent } = transport([{ status: 429, retryAfter: '60' }]);
  await expect(kubernetesRequests(it, 5_000).json(call, undefined)).rejects.toMatchObject({
    code: 'KubernetesRefused',
    retryable: true,
  });
  expect(sent).toHaveLength(1);
});

test('refused credentials are read again, once', async () => {
  const mended = transport([{ status: 401 }, { status: 200 }]);
  await kubernetesRequests(mended.it, 5_000).json(call, undefined);
  expect(mended.renewed()).toBe(1);
  const expired = transport([{ status: 401 }, { status: 401 }]);
  await expect(kubernetesRequests(expired.it, 5_000).json(call, undefined)).rejects.toMatchObject({
    code: 'KubernetesUnauthenticated',
  });
});

test('a silent server ends a call by its deadline, and a stream before it has begun', async () => {
  const requests = kubernetesRequests(transport(['silence', 'silence']).it, 20);
  await expect(requests.json(call, undefined)).rejects.toMatchObject({
    code: 'KubernetesUnreachable',
    retryable: true,
  });
  await expect(requests.stream(call, new AbortController().signal)).rejects.toMatchObject({
    code: 'KubernetesUnreachable',
  });
});

test('the caller who gives up gets his own reason', async () => {
  const reason = new Error('enough');
  const caller = new AbortController();
  const waiting = kubernetesRequests(transport(['silence']).it, 5_000).json(call, { signal: caller.signal });
  caller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test("a page that isn't JSON is no answer of Kubernetes", async () => {
  const { it } = transport([{ status: 200, text: '<html>Sign in</html>' }]);
  await expect(kubernetesRequests(it, 5_000).json(call, undefined)).rejects.toMatchObject({
    code: 'KubernetesRefused',
    message: expect.stringContaining('did not answer like Kubernetes'),
  });
});
