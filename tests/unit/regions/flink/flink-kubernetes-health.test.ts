import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { explainJob } from '../../../../regions/flink/flink-kubernetes-health.ts';
import type { KubernetesApi } from '../../../../regions/kubernetes/kubernetes-api.ts';

const job = { name: 'counts', namespace: 'argus-data', deployment: 'argus-flink' };
const object = {
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkDeployment',
  metadata: { name: 'argus-flink', uid: 'u', creationTimestamp: '2026-11-21T10:00:00Z' },
  spec: { job: { state: 'running' } },
  status: { error: 'no jar', jobManagerDeploymentStatus: 'ERROR' },
};

test('without leave to read events the reason is told by all that can be read', async () => {
  const kubernetes = {
    get: async () => object,
    list: async ({ kind }: { readonly kind: string }) => {
      if (kind === 'Event') throw new ArgusError('KubernetesForbidden', 'does not allow Argus to list events');
      return [];
    },
  };
  expect(await explainJob(kubernetes as unknown as KubernetesApi, job)).toContain('no jar');
});
