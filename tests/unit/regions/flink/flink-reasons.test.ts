import { describe, expect, test } from 'vitest';
import { readDeployment, readPod } from '../../../../regions/flink/flink-deployment.ts';
import { type Trouble, troubleOf } from '../../../../regions/flink/flink-reasons.ts';

const name = 'argus-flink';

interface Signs {
  readonly spec?: object;
  readonly metadata?: object;
  readonly status?: object;
  readonly pods?: readonly object[];
  readonly events?: readonly { readonly reason: string; readonly message: string }[];
}

function trouble({ spec, metadata, status, pods = [], events = [] }: Signs): Trouble | undefined {
  const object = {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name, uid: 'u', ...metadata },
    spec: { job: { state: 'running' }, ...spec },
    ...(status && { status }),
  };
  return troubleOf({
    name,
    deployment: readDeployment(object),
    pods: pods.map((pod, i) =>
      readPod({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `${name}-${i}`, labels: { component: 'jobmanager' } },
        ...pod,
      }),
    ),
    events: events.map((event) => ({ type: 'Warning', ...event })),
  });
}

const why = (signs: Signs) => trouble(signs)?.why;

const container = (waiting?: object, more: object = {}) => ({
  name: 'flink-main-container',
  image: 'registry.example/flink:nope',
  restartCount: 0,
  state: waiting === undefined ? { running: {} } : { waiting },
  ...more,
});
const pod = (...containerStatuses: object[]) => ({ status: { phase: 'Pending', containerStatuses } });
const deploying = {
  jobManagerDeploymentStatus: 'DEPLOYING',
  jobStatus: { state: 'RECONCILING' },
  lifecycleState: 'DEPLOYED',
};

describe('why a deployment does not run', () => {
  test.each<[string, Signs, string]>([
    [
      'the image is not there',
      {
        status: deploying,
        pods: [
          pod(
            container({ reason: 'ImagePullBackOff', message: 'Back-off pulling image "registry.example/flink:nope"' }),
          ),
        ],
      },
      `the image registry.example/flink:nope can't be pulled (ImagePullBackOff: Back-off pulling image "registry.example/flink:nope")`,
    ],
    [
      'the image is not on the node, and must not be pulled',
      { status: deploying, pods: [pod(container({ reason: 'ErrImageNeverPull' }))] },
      "the image registry.example/flink:nope can't be pulled (ErrImageNeverPull)",
    ],
    [
      'a secret is missing',
      { pods: [pod(container({ reason: 'CreateContainerConfigError', message: 'secret "s3-keys" not found' }))] },
      `pod argus-flink-0 can't be made (CreateContainerConfigError: secret "s3-keys" not found)`,
    ],
    [
      'a ConfigMap that is mounted is missing',
      {
        pods: [pod(container({ reason: 'ContainerCreating' }))],
        events: [
          { reason: 'Scheduled', message: 'Successfully assigned' },
          {
            reason: 'FailedMount',
            message: 'MountVolume.SetUp failed for volume "restore" : configmap "flink-config" not found',
          },
        ],
      },
      `a volume can't be mounted: configmap "flink-config" not found`,
    ],
    [
      'a quota is against it',
      {
        status: { ...deploying, error: '{"type":"x","message":"Back-off"}' },
        events: [
          {
            reason: 'FailedCreate',
            message:
              'Error creating: pods "argus-flink-55c-x" is forbidden: exceeded quota: small, requested: memory=1600Mi, used: memory=0, limited: memory=1Gi',
          },
        ],
      },
      'no pod can be made: exceeded quota: small, requested: memory=1600Mi, used: memory=0, limited: memory=1Gi',
    ],
    [
      'an account is missing',
      {
        events: [
          {
            reason: 'FailedCreate',
            message:
              'Error creating: pods "argus-flink-55c-" is forbidden: error looking up service account argus-data/flink: serviceaccount "flink" not found',
          },
        ],
      },
      'no pod can be made: error looking up service account argus-data/flink: serviceaccount "flink" not found',
    ],
    [
      'the operator says it',
      {
        status: {
          ...deploying,
          error:
            '{"type":"org.apache.flink.kubernetes.operator.exception.ReconciliationException","message":"java.lang.RuntimeException: x","throwableList":[{"type":"java.lang.RuntimeException","message":"x"},{"type":"io.fabric8.KubernetesClientException","message":"the serviceaccount flink may not"}]}',
        },
      },
      'the operator says: the serviceaccount flink may not',
    ],
    [
      'the operator says it in plain words',
      { status: { error: 'no such\n thing' } },
      'the operator says: no such thing',
    ],
    [
      'the JobManager ends again and again',
      {
        status: deploying,
        pods: [
          pod(
            container(
              { reason: 'CrashLoopBackOff', message: 'back-off' },
              { restartCount: 3, lastState: { terminated: { exitCode: 1, reason: 'Error' } } },
            ),
          ),
        ],
      },
      'the JobManager has restarted 3 times: it ended with exit code 1',
    ],
    [
      'memory',
      {
        pods: [
          pod(
            container(undefined, {
              restartCount: 1,
              lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
            }),
          ),
        ],
      },
      'the JobManager has restarted once: it was killed for taking more memory than its limit',
    ],
    [
      'no node has room',
      {
        pods: [
          {
            status: {
              phase: 'Pending',
              conditions: [
                {
                  type: 'PodScheduled',
                  status: 'False',
                  reason: 'Unschedulable',
                  message: '0/1 nodes are available: 1 Insufficient memory.',
                },
              ],
            },
          },
        ],
      },
      'no node takes pod argus-flink-0: 0/1 nodes are available: 1 Insufficient memory.',
    ],
    [
      'no operator',
      {},
      'the operator has not taken up argus-flink yet: does it run, and does it watch this namespace?',
    ],
    [
      'the finalizer is not run',
      {
        metadata: {
          deletionTimestamp: '2026-11-21T10:00:00Z',
          finalizers: ['flinkdeployments.flink.apache.org/finalizer'],
        },
      },
      'argus-flink waits for its finalizer flinkdeployments.flink.apache.org/finalizer: does the operator run?',
    ],
  ])('%s', (_what, signs, sentence) => {
    expect(why(signs)).toBe(sentence);
  });

  test('nothing is made up where nothing shows', () => {
    expect(why({ status: deploying, pods: [{ status: { phase: 'Running', containerStatuses: [container()] } }] })).toBe(
      undefined,
    );
    expect(why({ spec: { job: { state: 'suspended' } } })).toBe(undefined);
  });
});
