import { expect, test } from 'vitest';
import { deploymentReleases, eachOnce, releaseOf } from '../../../../regions/flink/flink-kubernetes-versions.ts';
import type { KubernetesApi, KubernetesObject } from '../../../../regions/kubernetes/kubernetes-api.ts';

const object = (spec: object, status?: object): KubernetesObject =>
  ({ apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', metadata: { name: 'x' }, spec, status }) as never;

const read = (version: string, jobManagerDeploymentStatus = 'READY') => ({
  jobManagerDeploymentStatus,
  clusterInfo: { 'flink-version': version },
});

test.each([
  ['as the operator read it', object({ flinkVersion: 'v1_19' }, read('1.20.5')), '1.20.5'],
  [
    'as read of one whose job runs',
    object({ flinkVersion: 'v1_19', job: { state: 'running' } }, read('1.20.5')),
    '1.20.5',
  ],
  [
    'as declared where its job is suspended',
    object({ flinkVersion: 'v2_0', job: { state: 'suspended' } }, read('1.20.5')),
    '2.0 declared',
  ],
  ['as declared while it is upgraded', object({ flinkVersion: 'v2_0' }, read('1.20.5', 'DEPLOYING')), '2.0 declared'],
  ['as declared while it is gone', object({ flinkVersion: 'v2_0' }, read('1.20.5', 'MISSING')), '2.0 declared'],
  ['as declared before it runs', object({ flinkVersion: 'v2_0' }, { clusterInfo: {} }), '2.0 declared'],
  ['what the operator could not read', object({ flinkVersion: 'v1_20' }, read('<unknown>')), '1.20 declared'],
  ['of a form that is not known', object({ flinkVersion: 'next' }), undefined],
  ['without any word', object({}, { clusterInfo: null }), undefined],
])('the release of a deployment: %s', (_, given, wanted) => {
  const found = releaseOf(given);
  expect(found && `${found.version}${found.declared ? ' declared' : ''}`).toBe(wanted);
});

test('of what is there, else by the manifest; one that cannot be read is left out', async () => {
  const there: Record<string, KubernetesObject> = {
    a: object({ flinkVersion: 'v1_20' }, read('1.20.5')),
  };
  const kubernetes = { get: async ({ name }: { name: string }) => there[name] } as unknown as KubernetesApi;
  const job = (deployment: string) => ({ name: deployment, namespace: 'flink', deployment });
  const manifests: Record<string, KubernetesObject> = {
    b: object({ flinkVersion: 'v1_18' }),
    c: object({ flinkVersion: 'v1_20' }),
  };
  const manifestOf = async ({ name }: { readonly name: string }) => {
    if (name === 'd') throw new Error('no such file');
    return manifests[name];
  };
  const jobs = ['a', 'b', 'c', 'd', 'e'].map(job);
  expect(await deploymentReleases(kubernetes, jobs, manifestOf)).toEqual([
    { version: '1.18', declared: true },
    { version: '1.20.5' },
  ]);
});

test('each release once, in their order; what is declared and runs is told as it runs', () => {
  const declared = true as const;
  const given = [
    { version: '2.2.1' },
    { version: '1.9', declared },
    { version: '2.2', declared },
    { version: '2.2.1' },
    { version: '1.20.5' },
  ];
  expect(eachOnce(given)).toEqual([{ version: '1.9', declared }, { version: '1.20.5' }, { version: '2.2.1' }]);
});
