import { expect, test } from 'vitest';
import { kubernetesSection } from '../../../domain/kubernetes-config.ts';

const server = { server: 'https://10.0.0.1:6443', token: 'env:TOKEN' };

test.each([
  [{}],
  [{ kubeconfig: 'secrets/mumbai.yaml' }],
  [{ context: 'mumbai' }],
  [{ kubeconfig: '/etc/kubeconfig', context: 'mumbai' }],
  [{ inCluster: true }],
  [server],
  [{ ...server, ca: 'ca.pem', serverName: 'kubernetes', namespace: 'argus-data' }],
])('takes %j', (section) => {
  expect(kubernetesSection.parse(section)).toEqual(section);
});

test.each([
  [{ kubeconfig: 'a', inCluster: true }, 'inCluster', 'kubeconfig and inCluster are two ways'],
  [{ context: 'a', ...server }, 'server', 'context and server are two ways'],
  [{ inCluster: true, ...server }, 'server', 'inCluster and server are two ways'],
  [{ token: 'env:TOKEN' }, 'token', 'token needs server'],
  [{ server: server.server }, 'server', 'server needs token'],
  [{ ...server, server: 'http://10.0.0.1:6443' }, 'server', 'an https URL'],
  [{ ...server, token: 'abc' }, 'token', 'a reference'],
  [{ inCluster: false }, 'inCluster', 'true'],
])('refuses %j at %s: %s', (section, key, text) => {
  const [issue] = kubernetesSection.safeParse(section).error?.issues ?? [];
  expect(issue?.path).toEqual([key]);
  expect(issue?.message).toContain(text);
});
