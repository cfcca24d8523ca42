import { describe, expect, test } from 'vitest';
import { type DrillNamespace, type DrillPlaces, judgeDrillPlaces } from '../../../health/drill-place-check.ts';
import type { Finding, UsedVerb } from '../../../health/standby-check.ts';
import type { KubernetesObject } from '../../../regions/kubernetes/kubernetes-api.ts';
import { fixtureObjects } from '../../support/kubernetes-fixtures.ts';

// The fixture: JobManager and one TaskManager, each 0.5 CPU and 1 GiB.
const object = fixtureObjects('flink-cluster-drill.yaml')[0] as KubernetesObject;
const namespace = 'argus-drills';
const unseen = { unseen: { code: 'KubernetesForbidden', message: 'not allowed' } };
const verb = (name: string, optional = false): UsedVerb => ({
  verb: name,
  group: 'flink.apache.org',
  resource: 'flinkdeployments',
  namespace,
  optional,
});
const place: DrillNamespace = {
  namespace,
  there: { seen: true },
  flinkVerbs: 2,
  missingVerbs: { seen: [] },
  drills: { seen: [] },
  others: { seen: [] },
  quotas: { seen: [] },
  limits: { seen: [] },
};
const operator = { name: 'flink/operator', available: 1, scope: { seen: 'all' } } as const;
const ready: DrillPlaces = {
  region: 'singapore',
  namespaces: [place],
  jobs: [{ job: 'counts', namespace, object, dryRun: { seen: true }, references: [] }],
  nodes: { seen: [] },
  operators: { seen: [operator] },
};
const node = {
  name: 'node-1',
  ready: true,
  unschedulable: false,
  taints: [],
  labels: {},
  free: { cpu: 4, memory: 8 * 2 ** 30 },
  freePods: 100,
  images: ['registry.example/argus-flink:1.20.5'],
  imagesTold: 1,
};
const well = { ...ready, nodes: { seen: [node] } };
const within = (over: Partial<DrillNamespace>): DrillPlaces => ({ ...well, namespaces: [{ ...place, ...over }] });
const withJob = (over: Partial<DrillPlaces['jobs'][number]>): DrillPlaces => ({
  ...well,
  jobs: well.jobs.map((job) => ({ ...job, ...over })),
});
const small = { seen: [{ name: 'small', hard: { pods: 1 }, used: {}, scoped: false }] };
const codes = (findings: readonly Finding[]) => findings.map(({ severity, code }) => `${severity} ${code}`);

describe('what a drill would meet where its jobs are FlinkDeployments', () => {
  test.each<readonly [string, DrillPlaces, readonly string[]]>([
    ['nothing', well, []],
    ['no namespace', within({ there: { seen: false } }), ['refused KubernetesNamespaceMissing']],
    [
      'no namespace, as the dry run tells it',
      {
        ...within({ there: unseen }),
        ...withJob({ dryRun: { unseen: { code: 'KubernetesNamespaceMissing', message: '' } } }),
      },
      ['refused KubernetesNamespaceMissing'],
    ],
    [
      'no right at all',
      within({ there: unseen, missingVerbs: { seen: [verb('get'), verb('list')] } }),
      ['refused DrillRightsMissing'],
    ],
    ['a verb', within({ missingVerbs: { seen: [verb('list')] } }), ['refused VerbMissing']],
    ['an optional verb', within({ missingVerbs: { seen: [verb('list', true)] } }), ['warning VerbMissing']],
    [
      'a verb, and the dry run that it forbids',
      { ...withJob({ dryRun: unseen }), namespaces: [{ ...place, missingVerbs: { seen: [verb('create')] } }] },
      ['refused VerbMissing'],
    ],
    ['rights that could not be asked for', within({ missingVerbs: unseen }), ['warning RightsUnknown']],
    [
      'an object that the cluster does not take',
      withJob({ dryRun: { unseen: { code: 'KubernetesInvalid', message: 'spec.flinkVersion' } } }),
      ['refused KubernetesInvalid'],
    ],
    ['objects of others', within({ others: { seen: ['counts'] } }), ['warning DrillNamespaceShared']],
    ['a quota', within({ quotas: small }), ['refused QuotaTooSmall']],
    ['a quota while a drill is at work', within({ quotas: small, drills: { seen: ['argus-drill-x'] } }), []],
    ['a quota that may not be read', within({ quotas: unseen }), ['warning QuotaUnknown']],
    [
      'a service account',
      withJob({ references: [{ reference: { kind: 'ServiceAccount', name: 'flink' }, found: { seen: 'absent' } }] }),
      ['refused ServiceAccountMissing'],
    ],
    ['nodes without room', { ...well, nodes: { seen: [{ ...node, freePods: 1 }] } }, ['warning CapacityTooSmall']],
    [
      'an operator that is down',
      { ...well, operators: { seen: [{ ...operator, available: 0 }] } },
      ['refused OperatorDown'],
    ],
    ['no operator to be found', { ...well, operators: { seen: [] } }, ['warning OperatorUnknown']],
    [
      'an operator for other namespaces',
      { ...well, operators: { seen: [{ ...operator, scope: { seen: ['argus-data'] } }] } },
      ['refused OperatorElsewhere'],
    ],
    [
      'one of two for this one',
      {
        ...well,
        operators: {
          seen: [
            { ...operator, scope: { seen: ['a'] } },
            { ...operator, scope: { seen: [namespace] } },
          ],
        },
      },
      [],
    ],
    [
      'an operator whose settings may not be read',
      { ...well, operators: { seen: [{ ...operator, scope: unseen }] } },
      ['warning OperatorScopeUnknown'],
    ],
  ])('%s', (_, places, expected) => {
    const findings = judgeDrillPlaces(places);
    expect(codes(findings)).toEqual(expected);
    for (const { message, hint } of findings) expect(message && hint).toBeTruthy();
  });

  test('says what a quota is too small for, and where what is missing belongs', () => {
    const [quota] = judgeDrillPlaces(within({ quotas: small }));
    expect(quota?.message).toBe('for drills in argus-drills: the quota small leaves 1 of pods, and 2 are needed');
    const reference = { reference: { kind: 'Secret', name: 's3' }, found: { seen: 'absent' } } as const;
    expect(judgeDrillPlaces(withJob({ references: [reference] }))[0]).toMatchObject({
      job: 'counts',
      hint: 'put it into argus-drills once: no pod starts without it',
    });
    expect(judgeDrillPlaces(within({ quotas: unseen }))[0]?.hint).toContain('rbac-drill-check.yaml');
  });
});
