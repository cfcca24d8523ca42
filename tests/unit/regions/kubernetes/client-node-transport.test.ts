import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describeError } from '../../../../domain/errors.ts';
import { clientNodeTransport } from '../../../../regions/kubernetes/client-node-transport.ts';
import { defaultKubeconfigFiles } from '../../../../regions/kubernetes/kubernetes-access.ts';

const dir = mkdtempSync(join(tmpdir(), 'argus-test-kubeconfig-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let written = 0;

/** A file with this text. */
function file(text: string): string {
  const path = join(dir, `config-${written++}`);
  writeFileSync(path, text);
  return path;
}

/** A kubeconfig with the contexts `main` and those that point to nothing. */
const sample = (user = 'token: SECRET', cluster = '', name = 'main') => `
clusters:
  - name: ${name}
    cluster: { server: 'https://${name}.example:6443/'${cluster} }
users:
  - name: ${name}
    user: { ${user} }
contexts:
  - { name: ${name}, context: { cluster: ${name}, user: ${name}, namespace: argus-data } }
  - { name: no-cluster, context: { cluster: absent, user: ${name} } }
  - { name: no-user, context: { cluster: ${name}, user: absent } }
current-context: ${name}
`;
const open = (files: readonly string[], context?: string) =>
  clientNodeTransport('mumbai', { kind: 'kubeconfig', files, context });

test('takes server and namespace of the current context', async () => {
  const { server, namespace } = await open([file(sample())]);
  expect({ server, namespace }).toEqual({ server: 'https://main.example:6443', namespace: 'argus-data' });
});

test('of several files the first that has an entry wins, and absent ones are passed over', async () => {
  const files = [join(dir, 'absent'), file(sample()), file(sample('token: OTHER', '', 'other'))];
  expect((await open(files)).server).toBe('https://main.example:6443');
  expect((await open(files, 'other')).server).toBe('https://other.example:6443');
});

test.each([
  ['no file', () => open([join(dir, 'absent')]), 'there is no kubeconfig at'],
  ['an empty file', () => open([file('')]), 'is not one'],
  ['broken YAML', () => open([file('users:\n  token: SECRET: x\n')]), 'line 2'],
  ['no contexts', () => open([file('clusters: []\nusers: []\ncontexts: []\n')]), 'has no current context'],
  ['another context', () => open([file(sample())], 'standby'), 'has no context "standby"'],
  ['a context without cluster', () => open([file(sample())], 'no-cluster'), 'the cluster "absent"'],
  ['a context without user', () => open([file(sample())], 'no-user'), 'the user "absent"'],
  ['no pod', () => clientNodeTransport('mumbai', { kind: 'in-cluster' }), 'does not run in a pod'],
])('%s is told before anything is asked, without secrets', async (_what, opening, text) => {
  const error = await opening().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'KubernetesConfig', exitCode: 2 });
  expect(describeError(error)).toContain(text);
  expect(describeError(error)).not.toContain('SECRET');
});

test('the hint names the contexts that there are', async () => {
  await expect(open([file(sample())], 'standby')).rejects.toMatchObject({
    hint: 'regions.mumbai.kubernetes.context: there are main, no-cluster, no-user',
  });
});

const exec = (command: string) =>
  `exec: { command: /bin/sh, args: ['-c', '${command}'], apiVersion: client.authentication.k8s.io/v1 }`;

test.each([
  ['a certificate that is absent', sample('token: x', ", certificate-authority: '/absent/ca.crt'")],
  ['a plugin that fails', sample(exec('echo SECRET >&2; exit 3'))],
])('%s is told when it is needed, without what it printed', async (_what, text) => {
  const transport = await open([file(text)]);
  const sending = transport.send({ method: 'GET', path: '/version', signal: AbortSignal.timeout(5_000) });
  const error = await sending.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'KubernetesConfig' });
  expect(describeError(error)).not.toContain('SECRET');
});

test('a plugin that hangs ends with the deadline', async () => {
  const transport = await open([file(sample(exec('exec sleep 2')))]);
  const sending = transport.send({ method: 'GET', path: '/version', signal: AbortSignal.timeout(50) });
  await expect(sending).rejects.toMatchObject({ name: 'TimeoutError' });
});

test.each([
  [{ KUBECONFIG: '/a:/b' }, ['/a', '/b']],
  [{ KUBECONFIG: '' }, ['/home/me/.kube/config']],
  [{}, ['/home/me/.kube/config']],
])('%j means the kubeconfig files %j', (env, files) => {
  expect(defaultKubeconfigFiles(env, '/home/me')).toEqual(files);
});
