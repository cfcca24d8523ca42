import { describe, expect, test } from 'vitest';
import {
  judgeStandbyKubernetes,
  judgeStandbySession,
  type StandbyJob,
  type StandbyKubernetes,
  standbyVerdict,
} from '../../../health/standby-check.ts';
import type { NodeRoom } from '../../../health/standby-room.ts';
import type { KubernetesObject } from '../../../regions/kubernetes/kubernetes-api.ts';
import { fixtureObjects } from '../../support/kubernetes-fixtures.ts';

// The fixture: JobManager and one TaskManager, each 0.5 CPU and 1 GiB; image registry.example/argus-flink:1.20.5.
const manifest = fixtureObjects('flink-cluster-standby.yaml')[0] as KubernetesObject;
const gib = 2 ** 30;

function changed(spec: object): KubernetesObject {
  return { ...manifest, spec: { ...(manifest.spec as object), ...spec } };
}

function node(over: Partial<NodeRoom> = {}): NodeRoom {
  return {
    name: 'node-1',
    ready: true,
    unschedulable: false,
    taints: [],
    labels: {},
    free: { cpu: 4, memory: 8 * gib },
    freePods: 100,
    images: ['registry.example/argus-flink:1.20.5'],
    imagesTold: 1,
    ...over,
  };
}

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
const limits = { seen: [] };
const space = { namespace: 'argus-data', quotas: { seen: [] }, limits };
const ready: StandbyKubernetes = {
  jobs: [job],
  warm: new Set(),
  clusters: { seen: [] },
  namespaces: [space],
  nodes: { seen: [node()] },
  operator: { seen: [{ name: 'flink/operator', available: 1 }] },
};
const withJob = (over: Partial<StandbyJob>): StandbyKubernetes => ({ ...ready, jobs: [{ ...job, ...over }] });
const onNodes = (...nodes: readonly NodeRoom[]): StandbyKubernetes => ({ ...ready, nodes: { seen: nodes } });
const quota = (hard: Record<string, number>, used: Record<string, number> = {}, scoped = false): StandbyKubernetes => ({
  ...ready,
  namespaces: [{ ...space, quotas: { seen: [{ name: 'small', hard, used, scoped }] } }],
});
const unseen = { unseen: { code: 'KubernetesForbidden', message: 'not allowed' } };
const verb = { verb: 'delete', group: 'flink.apache.org', resource: 'flinkdeployments', namespace: 'argus-data' };
const secret = { kind: 'Secret', name: 's3', key: 'id' } as const;
const notHere = { ...node(), images: [], imagesTold: 0 };
const never = withJob({ object: { seen: changed({ imagePullPolicy: 'Never' }) } });

describe('what a failover would meet', () => {
  test.each<[string, StandbyKubernetes, readonly string[], string?]>([
    ['nothing', ready, []],
    [
      'an invalid manifest',
      withJob({ dryRun: { unseen: { code: 'KubernetesInvalid', message: 'spec.flinkVersion' } } }),
      ['refused KubernetesInvalid'],
    ],
    [
      'no definition',
      withJob({ dryRun: { unseen: { code: 'KubernetesKindMissing', message: 'x' } } }),
      ['refused KubernetesKindMissing'],
    ],
    [
      'a verb missing',
      withJob({ missingVerbs: { seen: [{ ...verb, optional: false }] } }),
      ['refused VerbMissing'],
      'may not delete flinkdeployments.flink.apache.org in the namespace argus-data',
    ],
    [
      'the same verb, met twice',
      withJob({ dryRun: unseen, missingVerbs: { seen: [{ ...verb, optional: false }] } }),
      ['refused VerbMissing'],
    ],
    [
      'a verb of the reasons',
      withJob({ missingVerbs: { seen: [{ ...verb, optional: true }] } }),
      ['warning VerbMissing'],
    ],
    [
      'a verb that is missing for what is seldom done',
      withJob({ missingVerbs: { seen: [{ ...verb, optional: true, without: 'it could not be ended' }] } }),
      ['warning VerbMissing'],
      'in the namespace argus-data: it could not be ended',
    ],
    [
      'a secret missing',
      withJob({ references: [{ reference: secret, found: { seen: 'absent' } }] }),
      ['refused SecretMissing'],
      'Secret argus-data/s3',
    ],
    [
      'its key missing',
      withJob({ references: [{ reference: secret, found: { seen: 'no-key' } }] }),
      ['refused SecretKeyMissing'],
      'no key "id"',
    ],
    [
      'a secret that may not be read',
      withJob({ references: [{ reference: secret, found: unseen }] }),
      ['warning ReferenceUnknown'],
    ],
    [
      'leftovers',
      withJob({ route: { seen: { kind: 'refused', code: 'FlinkLeftovers', message: 'm', hint: 'h' } } }),
      ['refused FlinkLeftovers'],
    ],
    ['an object that has run, with a manifest', withJob({ route: { seen: { kind: 'replace', because: 'b' } } }), []],
    [
      'an object that has run, without',
      withJob({ hasManifest: false, route: { seen: { kind: 'replace', because: 'b' } } }),
      ['refused ManifestMissing'],
    ],
    [
      'pods that are ending',
      withJob({ route: { seen: { kind: 'wait', waitingFor: 'pods' } } }),
      ['warning StillEnding'],
    ],
    [
      'a quota of pods',
      quota({ pods: 3 }, { pods: 2 }),
      ['refused QuotaTooSmall'],
      'leaves 1 of pods, and 2 are needed',
    ],
    ['a quota of memory', quota({ 'requests.memory': 2 * gib - 1 }), ['refused QuotaTooSmall']],
    ['a quota that just suffices', quota({ 'requests.memory': 2 * gib, 'limits.cpu': 1, pods: 2, secrets: 0 }), []],
    ['a quota of some pods', quota({ cpu: 0.5 }, {}, true), ['warning QuotaTooSmall']],
    [
      'a LimitRange',
      {
        ...ready,
        namespaces: [
          { ...space, limits: { seen: [{ name: 'l', type: 'Container', min: {}, max: { memory: gib / 2 } }] } },
        ],
      },
      ['refused LimitRangeAgainst', 'refused LimitRangeAgainst'],
    ],
    ['no node', onNodes(), ['refused NoNodes', 'refused NoNodes'], 'none of 0 nodes'],
    ['cordoned', onNodes(node({ unschedulable: true })), ['refused NoNodes', 'refused NoNodes']],
    ['not ready', onNodes(node({ ready: false })), ['refused NoNodes', 'refused NoNodes']],
    [
      'tainted',
      onNodes(node({ taints: [{ key: 'gpu', effect: 'NoSchedule' }] })),
      ['refused NoNodes', 'refused NoNodes'],
    ],
    [
      'room for one of two',
      onNodes(node({ free: { cpu: 0.9, memory: 8 * gib } })),
      ['refused CapacityTooSmall'],
      '1 of 1 TaskManager pods',
    ],
    [
      'room on two nodes',
      onNodes(node({ free: { cpu: 0.5, memory: gib } }), node({ name: 'node-2', free: { cpu: 0.5, memory: gib } })),
      [],
    ],
    [
      'an image to pull',
      onNodes(node(), { ...notHere, name: 'node-2' }),
      ['warning ImageToPull'],
      '1 of 2 nodes (node-2)',
    ],
    ['an image that is never pulled', { ...never, nodes: { seen: [notHere] } }, ['refused ImageAbsent']],
    ['the same, on one of two nodes', { ...never, nodes: { seen: [node(), notHere] } }, ['warning ImageAbsent']],
    [
      'a node that has more images than it tells',
      { ...never, nodes: { seen: [{ ...notHere, imagesTold: 50 }] } },
      ['warning ImageUnknown'],
    ],
    ['nodes that may not be read', { ...ready, nodes: unseen }, ['warning NodesUnknown']],
    [
      'an operator that is down',
      { ...ready, operator: { seen: [{ name: 'flink/operator', available: 0 }] } },
      ['refused OperatorDown'],
    ],
    ['no operator found', { ...ready, operator: { seen: [] } }, ['warning OperatorUnknown']],
    [
      'another Flink',
      withJob({ primary: { seen: changed({ flinkVersion: 'v1_18' }) } }),
      ['refused FlinkVersionDiffers'],
      'v1_19 here, v1_18 on the primary',
    ],
    [
      'the image of another registry',
      withJob({ primary: { seen: changed({ image: 'other.example/x/argus-flink:1.20.5' }) } }),
      [],
    ],
    [
      'another image',
      withJob({ primary: { seen: changed({ image: 'registry.example/argus-flink:1.20.4' }) } }),
      ['warning ImageDiffers'],
    ],
    [
      'another jar',
      withJob({
        primary: { seen: changed({ job: { jarURI: 'local:///other.jar', entryClass: 'argus.lab.CountsJob' } }) },
      }),
      ['warning JobDiffers'],
    ],
    ['a primary that is dark', withJob({ primary: unseen }), ['warning VersionsUnknown']],
    [
      'a size that is not told',
      withJob({
        object: {
          seen: changed({
            jobManager: {},
            flinkConfiguration: { 'jobmanager.memory.flink.size': '1g', 'taskmanager.numberOfTaskSlots': '2' },
          }),
        },
      }),
      ['warning SizeUnknown'],
    ],
  ])('%s', (_, facts, expected, words = '') => {
    const { findings, verdict } = standbyVerdict(judgeStandbyKubernetes(facts));
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected);
    expect(findings.map(({ message }) => message).join('\n')).toContain(words);
    expect(findings.every(({ hint }) => hint !== '')).toBe(true);
    const refused = expected.some((each) => each.startsWith('refused'));
    expect(verdict).toBe(refused ? 'refused' : expected.length > 0 ? 'ready-with-warnings' : 'ready');
  });

  test('quota and room must hold for all jobs at once', () => {
    const two = { ...quota({ pods: 3 }), jobs: [job, { ...job, job: 'totals', deployment: 'totals' }] };
    const small = { ...two, nodes: { seen: [node({ free: { cpu: 1.5, memory: 8 * gib } })] } };
    expect(judgeStandbyKubernetes(small).map(({ code }) => code)).toEqual(['QuotaTooSmall', 'CapacityTooSmall']);
  });
});

test('a session cluster needs its free slots, and the jars', () => {
  const jar = { seen: true } as const;
  const slots = { free: 3, total: 4 };
  const jobs = [{ job: 'counts', parallelism: 2, jar }];
  expect(judgeStandbySession({ slots, jobs })).toEqual([]);
  const lost = { job: 'totals', parallelism: 2, jar: { unseen: { code: 'JobJarUnreadable', message: 'm' } } };
  expect(judgeStandbySession({ slots, jobs: [...jobs, lost] }).map(({ code }) => code)).toEqual([
    'JobJarUnreadable',
    'SlotsTooFew',
  ]);
});
