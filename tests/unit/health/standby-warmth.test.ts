import { describe, expect, test } from 'vitest';
import type { StandbyJob, StandbyKubernetes } from '../../../health/standby-check.ts';
import { judgeWarmth, warmthOf } from '../../../health/standby-warmth.ts';
import type { SessionCluster } from '../../../regions/flink/flink-jobs.ts';
import { fixtureObjects } from '../../support/kubernetes-fixtures.ts';

const [manifest] = fixtureObjects('flink-cluster-standby.yaml');
const job: StandbyJob = {
  job: 'counts',
  namespace: 'argus-data',
  deployment: 'argus-flink',
  object: { seen: manifest },
  hasManifest: true,
  dryRun: { seen: true },
  route: { seen: { kind: 'create' } },
  missingVerbs: { seen: [] },
  references: [],
  primary: { seen: manifest },
};
const node = {
  name: 'node-1',
  ready: true,
  unschedulable: false,
  taints: [],
  labels: {},
  free: { cpu: 4, memory: 8 },
  freePods: 100,
  images: ['registry.example/argus-flink:1.20.5'],
  imagesTold: 1,
};
const cluster: SessionCluster = {
  namespace: 'argus-data',
  name: 'argus-session',
  state: 'ready',
  slots: { free: 2, total: 2 },
  jobs: ['counts'],
  wanted: 2,
};
const facts = (over: Partial<StandbyKubernetes>): StandbyKubernetes => ({
  jobs: [job],
  warm: new Set(['counts']),
  clusters: { seen: [] },
  namespaces: [],
  nodes: { seen: [node] },
  operator: { seen: [] },
  ...over,
});
const inSession = (over: Partial<SessionCluster>) =>
  facts({ jobs: [{ ...job, session: 'argus-counts' }], clusters: { seen: [{ ...cluster, ...over }] } });
const unseen = { unseen: { code: 'KubernetesForbidden', message: 'not allowed', hint: '' } };

describe('how warm a standby is', () => {
  test.each<[string, StandbyKubernetes, string]>([
    ['the image is on the node', facts({}), 'warm'],
    ['the image is on one of two', facts({ nodes: { seen: [node, { ...node, name: 'b', images: [] }] } }), 'cold'],
    ['nodes may not be read', facts({ nodes: unseen }), 'unknown'],
    ['there are no nodes', facts({ nodes: { seen: [] } }), 'cold'],
    ['the session cluster has room', inSession({}), 'warm'],
    ['its slots are taken', inSession({ slots: { free: 1, total: 2 } }), 'cold'],
    ['it starts', inSession({ state: 'starting' }), 'cold'],
    ['it is not there', inSession({ state: 'absent' }), 'cold'],
    ['two jobs want its slots', inSession({ jobs: ['counts', 'sums'], wanted: 4 }), 'cold'],
    ['nobody tells of it', facts({ jobs: [{ ...job, session: 'argus-counts' }], clusters: unseen }), 'unknown'],
  ])('%s', (_what, of, is) => {
    const warmth = warmthOf(of);
    expect(warmth).toMatchObject([{ job: 'counts', wanted: 'warm', is }]);
    const codes = { warm: [], cold: ['StandbyNotWarm'], unknown: ['WarmthUnknown'] }[is];
    expect(judgeWarmth(warmth).map(({ severity, code }) => `${severity} ${code}`)).toEqual(
      codes?.map((code) => `warning ${code}`),
    );
  });

  test('what is configured as cold is not judged', () => {
    const warmth = warmthOf({ ...inSession({ state: 'absent' }), warm: new Set() });
    expect(warmth).toMatchObject([{ wanted: 'cold', is: 'cold' }]);
    expect(judgeWarmth(warmth)).toEqual([]);
  });
});
