import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kubernetesAccess } from '../../../cli/kubernetes-access.ts';

const readers = {
  folder: '/etc/argus',
  env: { KUBECONFIG: '/a:/b' },
  secret: async (reference: string) => `value of ${reference}`,
  pem: async (path: string) => `text of ${path}`,
};

test.each([
  [{}, ['/a', '/b'], undefined],
  [{ context: 'mumbai' }, ['/a', '/b'], 'mumbai'],
  [{ kubeconfig: 'secrets/mumbai.yaml' }, ['/etc/argus/secrets/mumbai.yaml'], undefined],
  [{ kubeconfig: '~/.kube/mumbai' }, [join(homedir(), '.kube/mumbai')], undefined],
])('%j means the kubeconfig %j', async (section, files, context) => {
  expect(await kubernetesAccess(section, readers)).toEqual({ kind: 'kubeconfig', files, context });
});

test('the service account of the pod', async () => {
  expect(await kubernetesAccess({ inCluster: true }, readers)).toEqual({ kind: 'in-cluster' });
});

test('a server, whose token is read each time that it is asked for', async () => {
  const section = { server: 'https://10.0.0.1:6443', token: 'file:token', ca: 'ca.pem', namespace: 'argus-data' };
  const access = await kubernetesAccess(section, readers);
  expect(access).toMatchObject({ kind: 'server', url: section.server, ca: 'text of /etc/argus/ca.pem' });
  expect(access.kind === 'server' && (await access.token())).toBe('value of file:token');
});
