import { expect, test } from 'vitest';
import { ArgusError } from '../../../domain/errors.ts';
import { gatherStandbyKubernetes } from '../../../health/gather-standby.ts';
import type { KubernetesApi } from '../../../regions/kubernetes/kubernetes-api.ts';

test('Flink is asked once for the jobs of all session clusters', async () => {
  const forbidden = () => Promise.reject(new ArgusError('KubernetesForbidden', 'not allowed'));
  const user = async () => ({ name: 'argus', groups: [] });
  const kubernetes = new Proxy({}, { get: (_, call) => (call === 'user' ? user : forbidden) }) as KubernetesApi;
  const sessionJobs = ['a', 'b', 'c'].map((name) => ({
    name,
    namespace: 'data',
    deployment: `session-${name}`,
    sessionJob: name,
  }));
  let asked = 0;
  const list = async () => {
    asked += 1;
    return [];
  };
  const seen = await gatherStandbyKubernetes({
    kubernetes,
    jobs: [],
    sessionJobs,
    flink: { list },
    serviceProxy: false,
  });
  expect(seen.jobs.map(({ job }) => job)).toEqual(['a', 'b', 'c']);
  expect(asked).toBe(1);
});
