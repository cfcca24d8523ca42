import { expect, test } from 'vitest';
import { configMapsOf, operatorScope } from '../../../../regions/flink/operator-scope.ts';
import type { KubernetesObject } from '../../../../regions/kubernetes/kubernetes-api.ts';

const deployment = (env?: readonly object[]): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'flink-kubernetes-operator', namespace: 'flink' },
  spec: {
    template: {
      spec: {
        containers: [{ name: 'operator', ...(env && { env }) }, { name: 'webhook' }],
        volumes: [
          { name: 'c', configMap: { name: 'flink-operator-config' } },
          { name: 'a', emptyDir: {} },
        ],
      },
    },
  },
});
const settings = (data: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'flink-operator-config', namespace: 'flink' },
  data,
});
const watched = 'kubernetes.operator.watched.namespaces';
const variable = { name: 'WATCH_NAMESPACES' };

test.each<readonly [string, readonly object[] | undefined, object | undefined, readonly string[] | 'all' | undefined]>([
  ['nothing is said: all', undefined, { 'flink-conf.yaml': 'taskmanager.numberOfTaskSlots: 2\n' }, 'all'],
  ['nothing but comments: all', undefined, { 'config.yaml': '# none\n' }, 'all'],
  ['a list', undefined, { 'flink-conf.yaml': `    ${watched}: a,b\n    x: y\n` }, ['a', 'b']],
  ['the same in the newer file', undefined, { 'config.yaml': `${watched}: a;b` }, ['a', 'b']],
  ['keys in parts', undefined, { 'config.yaml': 'kubernetes:\n  operator:\n    watched.namespaces: a\n' }, ['a']],
  ['both files alike', undefined, { 'config.yaml': `${watched}: a`, 'flink-conf.yaml': `${watched}: a` }, ['a']],
  ['two files at odds', undefined, { 'config.yaml': `${watched}: a`, 'flink-conf.yaml': `${watched}: b` }, undefined],
  ['all by name', undefined, { 'config.yaml': `${watched}: JOSDK_ALL_NAMESPACES` }, 'all'],
  ['its own', undefined, { 'config.yaml': `${watched}: JOSDK_WATCH_CURRENT` }, ['flink']],
  ['the variable goes first', [{ ...variable, value: 'c' }], { 'config.yaml': `${watched}: a` }, ['c']],
  ['an empty variable says nothing', [{ ...variable, value: '' }], { 'config.yaml': `${watched}: a` }, ['a']],
  ['a variable from elsewhere', [{ ...variable, valueFrom: {} }], { 'config.yaml': '' }, undefined],
  ['no settings to read', undefined, undefined, undefined],
  ['settings that are no YAML', undefined, { 'config.yaml': 'a: [' }, undefined],
])('which namespaces an operator looks after: %s', (_, env, data, expected) => {
  const object = deployment(env);
  expect(configMapsOf(object)).toEqual(['flink-operator-config']);
  expect(operatorScope(object, data === undefined ? [] : [settings(data)])).toEqual(expected);
});
