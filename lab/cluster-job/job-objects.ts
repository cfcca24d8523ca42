import { stringify } from 'yaml';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { names } from '../lab-info.ts';
import type { FlinkImage } from '../setup/flink-image.ts';

/** The names of the job in a cluster: those of the plan that Argus replaces. */
export const clusterJob = {
  namespace: 'argus-data',
  deployment: 'argus-flink',
  configMap: 'flink-config',
  restorePathKey: 'restore-path',
  manifest: 'flink-cluster-standby.yaml',
  /** The same for the primary, should it be the standby one day. */
  primaryManifest: 'flink-cluster-primary.yaml',
  serviceAccount: 'flink',
} as const;

/** What differs between the job's objects of two regions. */
export interface ClusterJobPlace {
  readonly image: Pick<FlinkImage, 'name' | 'jarUri'>;
  /** `host:port`, as pods reach it. */
  readonly brokers: string;
  readonly objects: {
    /** URL, as pods reach it. */
    readonly endpoint: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** Of the transactional ids of the job's output. */
  readonly transactionalIdPrefix: string;
}

const { namespace, serviceAccount } = clusterJob;
const secret = 'flink-s3';

/** What the job's object needs beside itself: what Flink needs there, and the ConfigMap whose key gets the path to restore from. */
export function jobSurroundings(objects: ClusterJobPlace['objects']): readonly KubernetesObject[] {
  return [
    ...flinkSurroundings(namespace, objects),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: clusterJob.configMap, namespace },
      data: { [clusterJob.restorePathKey]: '' },
    },
  ];
}

/**
 * What Flink needs in a namespace: the namespace itself, the service account with which it makes its own pods and keeps
 * its leader, and the keys to the bucket.
 */
export function flinkSurroundings(namespace: string, objects: ClusterJobPlace['objects']): readonly KubernetesObject[] {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: serviceAccount };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: serviceAccount, namespace },
      // Source: the operator's own Helm chart, 1.7.0.
      rules: [
        { apiGroups: [''], resources: ['pods', 'configmaps'], verbs: ['*'] },
        { apiGroups: ['apps'], resources: ['deployments', 'deployments/finalizers'], verbs: ['*'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: serviceAccount, namespace },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
      roleRef,
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secret, namespace },
      stringData: { 'access-key': objects.accessKeyId, 'secret-key': objects.secretAccessKey },
    },
  ];
}

/** The lab's job as an object of the Flink operator: application mode, its leader and its checkpoints kept in Kubernetes and S3. */
export function jobDeployment(place: ClusterJobPlace, state: 'running' | 'suspended'): KubernetesObject {
  return {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name: clusterJob.deployment, namespace },
    spec: {
      image: place.image.name,
      imagePullPolicy: 'Never',
      // The newest that this operator knows; it writes a configuration that 1.20 reads.
      flinkVersion: 'v1_19',
      serviceAccount,
      flinkConfiguration: flinkConfiguration(place),
      // Small requests, so that two jobs fit a small machine; what it has more, they may use (limit-factor).
      jobManager: { resource: { memory: '640m', cpu: 0.1 } },
      taskManager: { resource: { memory: '704m', cpu: 0.1 } },
      job: {
        jarURI: place.image.jarUri,
        entryClass: names.jobClass,
        args: [
          ...['--brokers', place.brokers, '--in', names.events.topic, '--out', names.metrics.topic],
          ...['--group', names.consumerGroup, '--txid', place.transactionalIdPrefix],
        ],
        parallelism: names.parallelism,
        upgradeMode: 'last-state',
        state,
      },
    },
  };
}

/** The text of `flink-cluster-standby.yaml`: the job's object, ready to be started from a recovery point. */
export function standbyManifest(place: ClusterJobPlace): string {
  return `# Written by the lab.\n${stringify(jobDeployment(place, 'suspended'), { aliasDuplicateObjects: false })}`;
}

function flinkConfiguration({ objects }: ClusterJobPlace): Readonly<Record<string, string>> {
  const root = `s3://${objects.bucket}`;
  const values: Record<string, string | number | boolean> = {
    'kubernetes.jobmanager.cpu.limit-factor': 20,
    'kubernetes.taskmanager.cpu.limit-factor': 20,
    'kubernetes.env.secretKeyRef': [
      `env:AWS_ACCESS_KEY_ID,secret:${secret},key:access-key`,
      `env:AWS_SECRET_ACCESS_KEY,secret:${secret},key:secret-key`,
    ].join(';'),
    'env.java.opts.all': '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData',
    'jobmanager.memory.jvm-overhead.min': '64m',
    'jobmanager.memory.jvm-metaspace.size': '128m',
    'taskmanager.memory.jvm-overhead.min': '64m',
    'taskmanager.memory.jvm-metaspace.size': '128m',
    'taskmanager.memory.network.min': '16m',
    'taskmanager.memory.network.max': '16m',
    'taskmanager.memory.managed.size': '96m',
    'taskmanager.memory.framework.off-heap.size': '64m',
    'taskmanager.numberOfTaskSlots': names.parallelism,
    'rest.flamegraph.enabled': false,
    // Flink serves job states from a cache of this age.
    'web.refresh-interval': 250,
    'heartbeat.interval': 1000,
    'heartbeat.timeout': 8000,
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': `${root}/ha`,
    'state.backend.type': 'rocksdb',
    'state.backend.incremental': true,
    'state.checkpoints.dir': `${root}/${names.checkpointPrefix}`,
    'state.savepoints.dir': `${root}/savepoints`,
    'state.checkpoints.num-retained': 3,
    // Small, so that a checkpoint refers to files and moving it takes more than one copy.
    'state.storage.fs.memory-threshold': '1kb',
    'execution.checkpointing.interval': '5s',
    'execution.checkpointing.min-pause': '500ms',
    'execution.checkpointing.timeout': '60s',
    'execution.checkpointing.tolerable-failed-checkpoints': 20,
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 1_000_000,
    'restart-strategy.fixed-delay.delay': '1s',
    's3.endpoint': objects.endpoint,
    's3.path.style.access': true,
    's3.endpoint.region': 'us-east-1',
    's3.connection.ssl.enabled': false,
    // Else S3A deletes parent "directories" after each write, which versitygw refuses, and every attempt takes minutes.
    's3.directory.marker.retention': 'keep',
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, `${value}`]));
}
