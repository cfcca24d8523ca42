import { describe, expect, test } from 'vitest';
import { readDeployment, readPod } from '../../../../regions/flink/flink-deployment.ts';
import { type HealthSigns, judgeHealth } from '../../../../regions/flink/flink-health.ts';
import type { JobHealth } from '../../../../regions/flink/flink-jobs.ts';

const stable = {
  jobManagerDeploymentStatus: 'READY',
  lifecycleState: 'STABLE',
  jobStatus: { state: 'RUNNING' },
  reconciliationStatus: { state: 'DEPLOYED' },
};
const deploying = { ...stable, jobManagerDeploymentStatus: 'DEPLOYING', lifecycleState: 'DEPLOYED', jobStatus: null };

const deployment = (status?: object) =>
  readDeployment({
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name: 'argus-flink', uid: 'u', creationTimestamp: '2026-11-21T10:00:00Z' },
    spec: { job: { state: 'running' } },
    ...(status && { status }),
  });
const pod = (component: string, phase: string, restartCount = 0) =>
  readPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: component, labels: { component } },
    status: { phase, containerStatuses: [{ name: 'flink-main-container', image: 'i', restartCount }] },
  });
const running = [pod('jobmanager', 'Running'), pod('taskmanager', 'Running')];
const image = { why: "the image can't be pulled", hope: 'little' } as const;
const signs = (over: Partial<HealthSigns>): HealthSigns => ({
  deployment: deployment(stable),
  pods: running,
  trouble: undefined,
  told: { state: 'RUNNING' },
  hasState: true,
  remembers: true,
  ...over,
});
const dead = { deployment: deployment(deploying), pods: [], told: undefined, hasState: false };
const listed = deployment({ ...deploying, jobStatus: { state: 'RECONCILING', startTime: '1763719300000' } });

describe('the health of a deployment', () => {
  test.each<[string, Partial<HealthSigns>, Partial<JobHealth>]>([
    ['READY, STABLE and RUNNING', {}, { kind: 'sound', restarts: 0, remake: false }],
    [
      'an operator without life cycles: DEPLOYED',
      { deployment: deployment({ ...stable, lifecycleState: undefined }) },
      { kind: 'sound' },
    ],
    [
      'its job runs, and the operator has not seen it yet',
      { deployment: deployment({ ...stable, lifecycleState: 'DEPLOYED' }) },
      { kind: 'settling', why: 'the operator says DEPLOYED of its FlinkDeployment' },
    ],
    [
      'the operator is content, and the job is not',
      { told: { state: 'RESTARTING' } },
      { kind: 'settling', remake: false },
    ],
    ['nothing of it is there yet', { ...dead, deployment: deployment() }, { kind: 'settling', remake: false }],
    ['something is against it', { ...dead, trouble: image }, { kind: 'troubled', why: image.why, remake: true }],
    ['without any hope', { ...dead, trouble: { ...image, hope: 'none' } }, { kind: 'hopeless', remake: true }],
    ['time may mend it', { ...dead, trouble: { ...image, hope: 'time' } }, { kind: 'settling', why: image.why }],
    [
      'the operator has not begun: nothing new would help',
      { ...dead, trouble: { ...image, untouched: true } },
      { kind: 'troubled', remake: false },
    ],
    ['it has state of its own: never made anew', { ...dead, trouble: image, hasState: true }, { remake: false }],
    [
      'Flink listed it once, and nothing remembers how far it got: left to a person',
      { ...dead, deployment: listed, trouble: image, remembers: false },
      { kind: 'troubled', remake: false, hint: expect.stringContaining('it may have run') },
    ],
    [
      'Flink listed it once, and what would remember a checkpoint has none',
      { ...dead, deployment: listed, trouble: image },
      { remake: true },
    ],
    [
      'a TaskManager of it runs: never made anew',
      { ...dead, trouble: image, pods: [pod('taskmanager', 'Running')] },
      { kind: 'troubled', remake: false },
    ],
    [
      'it was restarted and runs: told, and no trouble',
      {
        trouble: { why: 'restarted', hope: 'little', restarts: true },
        pods: [pod('jobmanager', 'Running', 2), pod('taskmanager', 'Running')],
      },
      { kind: 'sound', restarts: 2 },
    ],
    [
      'it was restarted and does not run',
      {
        ...dead,
        trouble: { why: 'restarted', hope: 'little', restarts: true },
        pods: [pod('jobmanager', 'Running', 3)],
      },
      { kind: 'troubled', restarts: 3, remake: true },
    ],
    [
      'Flink says RUNNING, and no TaskManager can be made',
      { trouble: { why: 'no TaskManager can be made', hope: 'little' }, pods: [pod('jobmanager', 'Running')] },
      { kind: 'troubled', why: 'no TaskManager can be made', remake: false },
    ],
    ['its object is gone', { deployment: undefined }, { kind: 'settling', why: 'its FlinkDeployment is gone' }],
  ])('%s', (_what, over, expected) => {
    expect(judgeHealth(signs(over))).toMatchObject(expected);
  });

  test("the operator's own words are told", () => {
    expect(judgeHealth(signs({})).says).toEqual({
      jobManager: 'READY',
      lifecycle: 'STABLE',
      reconciliation: 'DEPLOYED',
      job: 'RUNNING',
    });
  });
});
