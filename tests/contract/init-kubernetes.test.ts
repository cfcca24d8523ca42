import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookAtRegion } from '../../cli/init/look.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { fixtureObjects } from '../support/kubernetes-fixtures.ts';

let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await startTestKubernetes();
}, buildTimeoutMs);
afterAll(() => cluster?.stop());

test('init finds the FlinkDeployments and FlinkSessionJobs of a region, and says of what is silent why', async () => {
  const [deployment] = fixtureObjects('flink-cluster-standby.yaml').filter(({ kind }) => kind === 'FlinkDeployment');
  if (deployment === undefined) throw new Error('the fixture has no FlinkDeployment');
  const { namespace = 'default', name } = deployment.metadata;
  await cluster.admin.apply(namespaceNamed(namespace));
  await cluster.admin.apply(deployment);
  const session = fixtureObjects('flink-session-standby.yaml');
  for (const each of session) await cluster.admin.apply(each);
  const side = {
    name: 'mumbai',
    kafka: ['127.0.0.1:9'],
    objects: 'http://127.0.0.1:9',
    bucket: 'b',
    s3Key: 'env:ABSENT',
    s3Secret: 'env:ABSENT',
    flink: 'kubernetes',
    kubeconfig: cluster.server.kubeconfig,
  };
  const options = { folder: '/', env: {}, signal: new AbortController().signal };
  const found = await lookAtRegion(side, options);
  const sessionJob = { namespace, name: 'argus-session', sessionJob: 'argus-counts' };
  expect(found.flink).toEqual({
    found: [
      { name, deployment: { namespace, name } },
      { name: 'argus-counts', deployment: sessionJob },
    ],
  });
  expect(found.kafka).toMatchObject({ failed: expect.stringContaining('127.0.0.1:9') });
  expect(found.objects).toMatchObject({ failed: expect.stringContaining('ABSENT is not set') });
});
