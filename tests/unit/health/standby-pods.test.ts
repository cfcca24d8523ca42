import { expect, test } from 'vitest';
import { parseFlinkMemory, podsOf, referencesOf } from '../../../health/standby-pods.ts';
import { judgeLimits } from '../../../health/standby-room.ts';

const object = (spec: object) => ({ apiVersion: 'x/v1', kind: 'FlinkDeployment', metadata: { name: 'x' }, spec });
const gib = 2 ** 30;

test.each([
  ['1024m', gib],
  ['1 gb', gib],
  ['2048 mebibytes', 2 * gib],
  ['1024', 1024],
  ['2Gi', 2 * gib],
  ['2G', 2 * gib],
  ['much', undefined],
])('a size of memory: %s', (text, bytes) => expect(parseFlinkMemory(text)).toBe(bytes));

test('as many TaskManagers as the parallelism takes, with limits by their factors', () => {
  const flinkConfiguration = { 'taskmanager.numberOfTaskSlots': '2', 'kubernetes.taskmanager.cpu.limit-factor': '4' };
  const taskManager = { resource: { cpu: 0.5, memory: '1g' } };
  const [jobManager, tasks] = podsOf(
    object({ image: 'f:1', flinkConfiguration, taskManager, job: { parallelism: 5 } }),
  );
  expect(jobManager).toMatchObject({ count: 1, requests: { cpu: 1, memory: 1600 * 2 ** 20 } });
  expect(tasks).toMatchObject({ count: 3, requests: { cpu: 0.5, memory: gib }, limits: { cpu: 2, memory: gib } });
  expect(tasks?.images).toEqual([{ image: 'f:1', pull: 'IfNotPresent' }]);
});

test('standalone, the replicas count; containers beside Flink add to a pod', () => {
  const beside = { name: 'log', image: 'log', resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } } };
  const podTemplate = { spec: { containers: [{ name: 'flink-main-container' }, beside] } };
  const taskManager = { replicas: 4, resource: { cpu: 1, memory: '1g' }, podTemplate };
  const [, tasks] = podsOf(object({ mode: 'standalone', image: 'f:1', imagePullPolicy: 'Never', taskManager }));
  expect(tasks).toMatchObject({ count: 4, requests: { cpu: 1.1, memory: 2 * gib } });
  expect(tasks?.images).toEqual([
    { image: 'f:1', pull: 'Never' },
    { image: 'log', pull: 'Always' },
  ]);
});

test('what pods name by name, without what is optional', () => {
  const env = [
    { name: 'A', valueFrom: { secretKeyRef: { name: 's3', key: 'id' } } },
    { name: 'B', valueFrom: { configMapKeyRef: { name: 'maybe', key: 'x', optional: true } } },
  ];
  const volumes = [
    { name: 'v', secret: { secretName: 'tls' } },
    { name: 'w', projected: { sources: [{ configMap: { name: 'conf' } }] } },
    { name: 'x', persistentVolumeClaim: { claimName: 'disk' } },
  ];
  const spec = { containers: [{ name: 'flink-main-container', env }], volumes, imagePullSecrets: [{ name: 'pull' }] };
  const flinkConfiguration = {
    'kubernetes.env.secretKeyRef': 'env:P,secret:pass,key:word',
    'kubernetes.secrets': 'a:/a,b:/b',
  };
  const found = referencesOf(
    object({ serviceAccount: 'flink', flinkConfiguration, jobManager: { podTemplate: { spec } } }),
  );
  expect(found.map(({ kind, name, key }) => [kind, name, key].filter(Boolean).join(' '))).toEqual([
    'ServiceAccount flink',
    'Secret pull',
    'Secret tls',
    'ConfigMap conf',
    'PersistentVolumeClaim disk',
    'Secret s3 id',
    'Secret a',
    'Secret b',
    'Secret pass word',
  ]);
});

test('a LimitRange of containers bounds each container, one of pods all of them together', () => {
  const side = { name: 'log', image: 'log', resources: { limits: { memory: '512Mi' } } };
  const podTemplate = { spec: { containers: [{ name: 'flink-main-container' }, side] } };
  const pods = podsOf(object({ image: 'f:1', taskManager: { resource: { memory: '1g', cpu: 1 }, podTemplate } }));
  const tasks = pods.filter(({ component }) => component === 'TaskManager');
  const against = (type: string, bounds: { readonly min?: number; readonly max?: number }) => {
    const { min, max } = bounds;
    const range = { name: 'l', type, min: min ? { memory: min } : {}, max: max ? { memory: max } : {} };
    return judgeLimits([range], tasks).map(({ message }) => message);
  };
  expect(against('Container', { max: gib })).toEqual([]);
  expect(against('Pod', { max: gib })).toEqual([
    'the TaskManager has 1.5 GiB of memory, and the LimitRange l allows a pod no more than 1 GiB',
  ]);
  expect(against('Container', { max: 0.75 * gib })).toHaveLength(1);
  expect(against('Container', { min: 0.75 * gib })).toEqual([
    "the TaskManager's container log has 512 MiB of memory, and the LimitRange l allows a container no less than 768 MiB",
  ]);
  expect(against('Pod', { min: 1.5 * gib })).toEqual([]);
});
