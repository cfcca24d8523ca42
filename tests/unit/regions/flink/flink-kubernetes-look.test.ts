import { describe, expect, test } from 'vitest';
import type { FlinkDeployment, FlinkPod } from '../../../../regions/flink/flink-deployment.ts';
import type { FlinkJob } from '../../../../regions/flink/flink-jobs.ts';
import { toJobs } from '../../../../regions/flink/flink-kubernetes-look.ts';

const deployment = (over: Partial<FlinkDeployment> = {}): FlinkDeployment => ({
  uid: '0a1b2c3d-0000-4000-8000-000000000000',
  resourceVersion: '7',
  deleting: false,
  finalizers: [],
  wanted: 'running',
  ran: true,
  startedAtMs: 5,
  createdAtMs: 5,
  ...over,
});
const pod = (component: FlinkPod['component']): FlinkPod => ({
  name: component,
  uid: 'ffffffff-0000-4000-8000-000000000000',
  component,
  phase: 'Running',
  deleting: false,
  containers: [],
});
const both = [pod('jobmanager'), pod('taskmanager')];
const job = (state: string): FlinkJob => ({ id: 'ab', name: 'counts', state, startedAtMs: 9 });
const handle = '0a1b2c3d000040008000000000000000';

describe('what a deployment is as jobs', () => {
  test.each<[string, FlinkDeployment | undefined, readonly FlinkPod[], readonly FlinkJob[] | undefined, string[]]>([
    ['nothing is there', undefined, [], undefined, []],
    [
      'REST answers, whatever the object says',
      deployment({ jobState: 'FAILED' }),
      both,
      [job('RUNNING')],
      ['ab RUNNING'],
    ],
    ['it ended, and its JobManager is there to tell', deployment(), both, [job('FAILED')], ['ab FAILED']],
    ['it ended, and is being deleted', deployment({ deleting: true }), both, [job('CANCELED')], ['ab CANCELLING']],
    ['it runs, and is being deleted', deployment({ deleting: true }), both, [job('RUNNING')], ['ab RUNNING']],
    ['being deleted, and silent', deployment({ deleting: true, jobId: 'ab' }), [], undefined, ['ab CANCELLING']],
    [
      'the object is gone, its pods are not',
      undefined,
      both,
      undefined,
      ['ffffffff000040008000000000000000 CANCELLING'],
    ],
    ['all is gone, and REST still answers', undefined, [], [job('RUNNING')], ['ab RUNNING']],
    ['asked for, and nothing has begun', deployment({ ran: false, jobId: 'ab' }), [], undefined, ['ab INITIALIZING']],
    ['its id is not known yet', deployment({ ran: false }), [], undefined, [`${handle} INITIALIZING`]],
    [
      'silent, and the operator says RUNNING',
      deployment({ jobId: 'ab', jobState: 'RUNNING' }),
      both,
      undefined,
      ['ab RUNNING'],
    ],
    [
      'silent, said to be over, with pods',
      deployment({ jobId: 'ab', jobState: 'FINISHED' }),
      both,
      undefined,
      ['ab INITIALIZING'],
    ],
    [
      'silent, said to be over, without pods',
      deployment({ jobId: 'ab', jobState: 'FINISHED' }),
      [],
      undefined,
      ['ab FINISHED'],
    ],
    ['made suspended, never run', deployment({ wanted: 'suspended', ran: false }), [], undefined, []],
    ['suspended', deployment({ wanted: 'suspended', jobId: 'ab' }), [], undefined, ['ab SUSPENDED']],
    [
      'suspended, its JobManager stays',
      deployment({ wanted: 'suspended', jobId: 'ab' }),
      [pod('jobmanager')],
      [],
      ['ab SUSPENDED'],
    ],
    [
      'suspended, its JobManager is silent',
      deployment({ wanted: 'suspended', jobId: 'ab' }),
      [pod('jobmanager')],
      undefined,
      ['ab CANCELLING'],
    ],
    ['suspended, a TaskManager is left', deployment({ wanted: 'suspended', jobId: 'ab' }), both, [], ['ab CANCELLING']],
  ])('%s', (_what, object, pods, told, jobs) => {
    const found = toJobs('counts', { deployment: object, pods }, told);
    expect(found.map(({ id, state }) => `${id} ${state}`)).toEqual(jobs);
  });

  test('it has the name that the configuration gives it, whatever it calls itself', () => {
    const found = toJobs('counts', { deployment: deployment(), pods: both }, [
      { ...job('RUNNING'), name: 'Counts, v3' },
    ]);
    expect(found).toMatchObject([{ id: 'ab', name: 'counts' }]);
  });
});
