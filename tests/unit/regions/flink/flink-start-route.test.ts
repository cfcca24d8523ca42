import { describe, expect, test } from 'vitest';
import type { FlinkDeployment } from '../../../../regions/flink/flink-deployment.ts';
import {
  decideStartRoute,
  restoredElsewhere,
  type StartRoute,
  type StartSituation,
} from '../../../../regions/flink/flink-start-route.ts';

const deployment = (over: Partial<FlinkDeployment> = {}): FlinkDeployment => ({
  uid: 'u',
  resourceVersion: '7',
  deleting: false,
  finalizers: [],
  wanted: 'suspended',
  ran: true,
  startedAtMs: 0,
  createdAtMs: 0,
  ...over,
});
const situation = (over: Partial<StartSituation> = {}): StartSituation => ({
  name: 'argus-flink',
  deployment: undefined,
  pods: [],
  leftovers: [],
  leftoversHoldState: true,
  hasRedeployNonce: false,
  ...over,
});
const pods = [{ name: 'argus-flink-taskmanager-1-1' }];
const leftovers = ['argus-flink-cluster-config-map'];

// What the operator does in each: findings of operator 1.7.0, docs in decideStartRoute.
const table: readonly [string, Partial<StartSituation>, StartRoute['kind']][] = [
  ['nothing is there', {}, 'create'],
  ['only pods of an earlier one', { pods }, 'wait'],
  ['only state of an earlier one', { leftovers }, 'refused'],
  ['only what an earlier one left without any state', { leftovers, leftoversHoldState: false }, 'clear'],
  ['it is being deleted', { deployment: deployment({ deleting: true }), pods }, 'wait'],
  ['it was made suspended and never ran', { deployment: deployment({ ran: false }) }, 'apply'],
  [
    'it never ran, and state of an earlier one is there',
    { deployment: deployment({ ran: false }), leftovers },
    'replace',
  ],
  ['it never ran, and pods of an earlier one are there', { deployment: deployment({ ran: false }), pods }, 'wait'],
  ['it ran and is suspended', { deployment: deployment() }, 'replace'],
  ['it ran and is suspended, with its own state', { deployment: deployment(), leftovers }, 'replace'],
  ['it ran and is suspended, and the nonce is known', { deployment: deployment(), hasRedeployNonce: true }, 'redeploy'],
  ['its job finished', { deployment: deployment({ wanted: 'running', jobState: 'FINISHED' }), pods }, 'replace'],
  ['its job failed', { deployment: deployment({ wanted: 'running', jobState: 'FAILED' }) }, 'replace'],
  ['it is running', { deployment: deployment({ wanted: 'running', jobState: 'RUNNING' }), pods }, 'refused'],
  ['it is wanted to run', { deployment: deployment({ wanted: 'running', ran: false }) }, 'refused'],
  [
    'it is running, and the nonce is known',
    { deployment: deployment({ wanted: 'running', jobState: 'RUNNING' }), hasRedeployNonce: true },
    'refused',
  ],
];

describe('the way to a start from our path', () => {
  test.each(table)('%s', (_what, over, kind) => {
    expect(decideStartRoute(situation(over)).kind).toBe(kind);
  });

  test('a nonce is another than before', () => {
    const route = decideStartRoute(situation({ deployment: deployment({ redeployNonce: 4 }), hasRedeployNonce: true }));
    expect(route).toEqual({ kind: 'redeploy', nonce: 5 });
  });

  test('a running one is named with its job', () => {
    const running = deployment({ wanted: 'running', jobId: 'ab', jobState: 'RUNNING' });
    expect(decideStartRoute(situation({ deployment: running }))).toMatchObject({
      code: 'FlinkRefused',
      message: expect.stringContaining('argus-flink is running already (job ab, RUNNING)'),
    });
  });
});

describe('what was restored', () => {
  const point = 's3://replica/argus/replica/counts/points/1/chk-10';
  test.each([
    ['the path itself', point, { path: point }, undefined],
    ['the path as Flink writes it', `${point}/_metadata`, { path: point }, undefined],
    ['with a slash', `${point}/`, { path: point }, undefined],
    ['a copy, named by its file', 's3://replica/claims/1/metadata', { path: 's3://replica/claims/1' }, undefined],
    ['a checkpoint of the job itself, after a failure', point, { path: 's3://r/checkpoints/ab/chk-12' }, undefined],
    ['a checkpoint of another job', point, { path: 's3://r/checkpoints/cd/chk-99' }, 's3://r/checkpoints/cd/chk-99'],
    ['nothing', point, undefined, 'nothing: it started empty'],
    ['nothing, as wanted', undefined, undefined, undefined],
  ])('%s', (_what, wanted, restored, elsewhere) => {
    expect(restoredElsewhere(wanted, 'ab', restored)).toBe(elsewhere);
  });
});
