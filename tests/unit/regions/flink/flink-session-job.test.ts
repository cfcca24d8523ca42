import { describe, expect, test } from 'vitest';
import type { FlinkPod } from '../../../../regions/flink/flink-deployment.ts';
import type { FlinkJob } from '../../../../regions/flink/flink-jobs.ts';
import { judgeSessionHealth } from '../../../../regions/flink/flink-session-health.ts';
import { type FlinkSessionJob, readSessionJob, sessionJobsOf } from '../../../../regions/flink/flink-session-job.ts';
import { decideSessionRoute, type SessionSituation } from '../../../../regions/flink/flink-session-route.ts';

const asked = 'a'.repeat(32);
const uid = '0a1b2c3d-4e5f-4000-8000-000000000000';
/** As operator 1.7 makes it: the upper half of the uid, then the generation. */
const own = '0a1b2c3d4e5f40000000000000000003';
const job = (over: Partial<FlinkSessionJob> = {}): FlinkSessionJob => ({
  uid,
  resourceVersion: '7',
  deleting: false,
  finalizers: [],
  wanted: 'running',
  ran: true,
  startedAtMs: 5,
  createdAtMs: 4,
  jobId: asked,
  ...over,
});
const pod: FlinkPod = { name: 'jm', uid, component: 'jobmanager', phase: 'Running', deleting: false, containers: [] };
const inFlink = (state: string, id = own, name = 'counts'): FlinkJob => ({ id, name, state, startedAtMs: 9 });
const other = inFlink('RUNNING', 'b'.repeat(32), 'sums');

describe('what a session job is as jobs', () => {
  const none: readonly string[] = [];
  test.each<
    [
      string,
      FlinkSessionJob | undefined,
      readonly FlinkPod[],
      readonly FlinkJob[] | undefined,
      readonly string[] | 'unknown',
    ]
  >([
    ['nothing is there', undefined, [], undefined, none],
    ['the cluster has jobs of others', undefined, [pod], [other], none],
    ['gone, ended', undefined, [pod], [inFlink('CANCELED'), other], none],
    ['gone, and its job goes on', undefined, [pod], [inFlink('RUNNING')], [`${own} RUNNING`]],
    ['gone, and nobody tells', undefined, [pod], undefined, 'unknown'],
    [
      'it runs, by the id of the operator',
      job({ flinkId: own }),
      [pod],
      [inFlink('RUNNING'), other],
      [`${asked} RUNNING`],
    ],
    [
      'it runs, and the operator has not noted its id',
      job({ ran: false }),
      [pod],
      [inFlink('RUNNING')],
      [`${asked} RUNNING`],
    ],
    ['nobody asked for an id', job({ jobId: own, flinkId: own }), [pod], [inFlink('RUNNING')], [`${own} RUNNING`]],
    ['it failed', job({ flinkId: own }), [pod], [inFlink('FAILED')], [`${asked} FAILED`]],
    [
      'submitted anew, and the first one ended',
      job({ flinkId: own }),
      [pod],
      [inFlink('FAILED', own.replace(/3$/, '1')), inFlink('RUNNING')],
      [`${asked} RUNNING`],
    ],
    [
      'being deleted, ended',
      job({ deleting: true, flinkId: own }),
      [pod],
      [inFlink('CANCELED')],
      [`${asked} CANCELLING`],
    ],
    [
      'being deleted, it runs',
      job({ deleting: true, flinkId: own }),
      [pod],
      [inFlink('RUNNING')],
      [`${asked} RUNNING`],
    ],
    ['being deleted, never submitted', job({ deleting: true, ran: false }), [pod], [], [`${asked} CANCELLING`]],
    ['suspended', job({ wanted: 'suspended', flinkId: own }), [pod], [inFlink('FINISHED')], [`${asked} SUSPENDED`]],
    [
      'suspended, it runs still',
      job({ wanted: 'suspended', flinkId: own }),
      [pod],
      [inFlink('RUNNING')],
      [`${asked} RUNNING`],
    ],
    ['suspended, and silent', job({ wanted: 'suspended', flinkId: own }), [pod], undefined, [`${asked} CANCELLING`]],
    [
      'suspended, and its cluster is gone',
      job({ wanted: 'suspended', flinkId: own }),
      [],
      undefined,
      [`${asked} SUSPENDED`],
    ],
    ['made suspended, never run', job({ wanted: 'suspended', ran: false }), [pod], [], none],
    ['asked for, and nothing has begun', job({ ran: false }), [], undefined, [`${asked} INITIALIZING`]],
    [
      'the operator says RUNNING, and Flink has it not',
      job({ jobState: 'RUNNING', flinkId: own }),
      [pod],
      [],
      [`${asked} RECONCILING`],
    ],
    [
      'said to be over, and silent',
      job({ jobState: 'FAILED', flinkId: own }),
      [pod],
      undefined,
      [`${asked} INITIALIZING`],
    ],
    [
      'it runs beside another of its name',
      job({ flinkId: own }),
      [pod],
      [inFlink('RUNNING'), inFlink('RUNNING', 'c'.repeat(32))],
      [`${asked} RUNNING`, `${'c'.repeat(32)} RUNNING`],
    ],
  ])('%s', (_what, object, pods, told, jobs) => {
    const found = sessionJobsOf('counts', { job: object, pods, told, before: new Set() });
    expect(found === 'unknown' ? found : found.map((each) => `${each.job.id} ${each.job.state}`)).toEqual(jobs);
  });

  test('one that was seen before is found under another name', () => {
    const signs = { job: undefined, pods: [pod], told: [inFlink('RUNNING', own, 'renamed')], before: new Set([own]) };
    expect(sessionJobsOf('counts', signs)).toMatchObject([{ job: { id: own, name: 'counts' }, flinkId: own }]);
  });
});

test('both ids are read, the asked one from the annotation', () => {
  const object = {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkSessionJob',
    metadata: { name: 'argus-counts', uid, annotations: { 'argus.dev/job-id': asked } },
    spec: { deploymentName: 'argus-session', job: { state: 'running' } },
    status: { jobStatus: { jobId: own, state: 'RUNNING', startTime: '1' } },
  };
  const read = { jobId: asked, flinkId: own, jobState: 'RUNNING', ran: true, listed: true };
  expect(readSessionJob(object)).toMatchObject(read);
  const { annotations: _, ...metadata } = object.metadata;
  expect(readSessionJob({ ...object, metadata })).toMatchObject({ jobId: own, flinkId: own });
});

const cluster = job({ jobManager: 'READY' });
const situation = (over: Partial<SessionSituation> = {}): SessionSituation => ({
  place: { name: 'counts', namespace: 'argus-data', deployment: 'argus-session', sessionJob: 'argus-counts' },
  job: undefined,
  cluster,
  isApplication: false,
  pods: [pod],
  told: [],
  clusterInManifest: false,
  ...over,
});

describe('the way to a start from our path', () => {
  test.each<[string, Partial<SessionSituation>, string]>([
    ['the cluster waits for it', {}, 'create'],
    [
      'the cluster is in the manifest only',
      { cluster: undefined, clusterInManifest: true, pods: [] },
      'create +cluster',
    ],
    ['there is no cluster', { cluster: undefined, pods: [] }, 'refused SessionClusterMissing'],
    ['the cluster has a job of its own', { isApplication: true }, 'refused NotASessionCluster'],
    ['the cluster is being deleted', { cluster: { ...cluster, deleting: true } }, 'wait'],
    ['the cluster is silent', { told: undefined }, 'wait'],
    ['a job of that name goes on', { told: [inFlink('RUNNING')] }, 'refused FlinkRefused'],
    ['a job of that name is ending', { told: [inFlink('CANCELLING')] }, 'wait'],
    ['it was made suspended and never ran', { job: job({ wanted: 'suspended', ran: false }) }, 'apply'],
    ['it ran and is suspended', { job: job({ wanted: 'suspended' }) }, 'replace'],
    ['it is being deleted', { job: job({ deleting: true }) }, 'wait'],
    ['it runs', { job: job({ flinkId: own }), told: [inFlink('RUNNING')] }, 'refused FlinkRefused'],
    [
      'it failed in Flink, and the operator has not seen it',
      { job: job({ flinkId: own }), told: [inFlink('FAILED')] },
      'replace',
    ],
    ['it is wanted to run', { job: job({ ran: false }) }, 'refused FlinkRefused'],
  ])('%s', (_what, over, wanted) => {
    const route = decideSessionRoute(situation(over));
    const more =
      route.kind === 'refused' ? ` ${route.code}` : 'makeCluster' in route && route.makeCluster ? ' +cluster' : '';
    expect(`${route.kind}${more}`).toBe(wanted);
  });
});

describe('the health of a session job', () => {
  const seen = { object: undefined, cluster, isApplication: false, grows: true, pods: [pod] };
  test.each<[string, FlinkSessionJob, readonly FlinkJob[] | undefined, string | undefined, string]>([
    [
      'it runs',
      job({ flinkId: own, lifecycle: 'STABLE', jobState: 'RUNNING' }),
      [inFlink('RUNNING')],
      undefined,
      'sound',
    ],
    [
      'the operator has not seen it run',
      job({ flinkId: own, lifecycle: 'DEPLOYED' }),
      [inFlink('RUNNING')],
      undefined,
      'settling',
    ],
    [
      'it runs, and an earlier attempt was noted',
      job({ flinkId: own, lifecycle: 'STABLE', jobState: 'RUNNING' }),
      [inFlink('RUNNING')],
      'the operator says: time-out',
      'sound',
    ],
    ['nothing has begun', job({ ran: false }), [], undefined, 'settling'],
    ['the operator could not submit it', job({ error: 'no jar' }), [], 'the operator says: no jar', 'troubled remake'],
    [
      'it ran, and its JobManager has forgotten it',
      job({ error: 'no such job', flinkId: own, listed: true }),
      [],
      'the operator says: no such job',
      'troubled hint',
    ],
    [
      'the cluster is silent after an error',
      job({ error: 'no jar' }),
      undefined,
      'the operator says: no jar',
      'troubled',
    ],
    [
      'Flink has it after an error',
      job({ error: 'time-out', flinkId: own }),
      [inFlink('CREATED')],
      'time-out',
      'troubled',
    ],
  ])('%s', (_what, object, told, why, wanted) => {
    const health = judgeSessionHealth('counts', { ...seen, job: object, told }, why);
    expect(`${health.kind}${health.remake ? ' remake' : ''}${health.hint ? ' hint' : ''}`).toBe(wanted);
  });
});
