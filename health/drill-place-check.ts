import type { OperatorScope } from '../regions/flink/operator-scope.ts';
import type { KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import {
  type Finding,
  judgeOperator,
  judgeReference,
  type Looked,
  type OperatorSeen,
  over,
  problem,
  type StandbyJob,
  type StandbyNamespace,
  type UsedVerb,
  verbMissing,
} from './standby-check.ts';
import { podsOf } from './standby-pods.ts';
import { judgeCapacity, judgeImages, judgeLimits, judgeQuotas, type NodeRoom } from './standby-room.ts';

/** A namespace for drills as it is. */
export interface DrillNamespace extends StandbyNamespace {
  readonly there: Looked<boolean>;
  /** How many verbs a drill uses on FlinkDeployments. */
  readonly flinkVerbs: number;
  readonly missingVerbs: Looked<readonly UsedVerb[]>;
  /** Names of all its FlinkDeployments. */
  readonly drills: Looked<readonly string[]>;
  readonly others: Looked<readonly string[]>;
}

/** A job's FlinkDeployment as a drill would make it. */
export interface DrillObject {
  readonly job: string;
  readonly namespace: string;
  readonly object: KubernetesObject;
  /** What the server said to it, without storing it. */
  readonly dryRun: Looked<true>;
  readonly references: StandbyJob['references'];
}

/** What runs of the operator, and where it looks. */
export type DrillOperator = OperatorSeen[number] & { readonly scope: Looked<OperatorScope | undefined> };

/** A region in which drills' jobs are FlinkDeployments. */
export interface DrillPlaces {
  readonly region: string;
  readonly namespaces: readonly DrillNamespace[];
  readonly jobs: readonly DrillObject[];
  readonly nodes: Looked<readonly NodeRoom[]>;
  readonly operators: Looked<readonly DrillOperator[]>;
}

const role = 'rbac-drill';
const forCheck = 'let Argus read it (fixtures/kubernetes/rbac-drill-check.yaml), or see by hand';

/** What a drill would meet where its jobs are FlinkDeployments. Pure. */
export function judgeDrillPlaces(places: DrillPlaces): readonly Finding[] {
  const { region, namespaces, jobs, nodes, operators } = places;
  // What drills left is removed before the next begins, and what is at work takes room that it gives back.
  const busy = namespaces.some(({ drills }) => 'seen' in drills && drills.seen.length > 0);
  const pods = jobs.flatMap(({ object }) => podsOf(object));
  const room = (seen: readonly NodeRoom[]): readonly Finding[] =>
    busy
      ? []
      : [...judgeCapacity(seen, pods), ...judgeImages(seen, pods)].map((each) => ({ ...each, severity: 'warning' }));
  return [
    ...namespaces.flatMap((each) => judgeNamespace(region, each, places)),
    ...told(over(nodes, room, 'NodesUnknown', 'room and images on the nodes'), 'for a drill'),
    ...over(operators, judgeOperator, 'OperatorUnknown', 'whether the Flink operator runs'),
  ];
}

function judgeNamespace(region: string, of: DrillNamespace, places: DrillPlaces): readonly Finding[] {
  const { namespace, there, flinkVerbs, missingVerbs, drills, others } = of;
  if ('seen' in there && !there.seen) return [absent(region, namespace)];
  const lacking = 'seen' in missingVerbs ? missingVerbs.seen : [];
  if (lacking.filter(({ resource }) => resource === 'flinkdeployments').length === flinkVerbs)
    return [closed(region, namespace, there)];
  const jobs = places.jobs.filter((job) => job.namespace === namespace);
  const refused = jobs.flatMap(({ job, dryRun }): readonly Finding[] => {
    if ('seen' in dryRun) return [];
    // Each verb that is missing is told by itself.
    if (dryRun.unseen.code === 'KubernetesForbidden' && lacking.length > 0) return [];
    if (dryRun.unseen.code === 'KubernetesNamespaceMissing') return [absent(region, namespace)];
    return [{ ...problem('refused', dryRun.unseen, job), hint: dryRun.unseen.hint ?? inManifest }];
  });
  if (refused.some(({ code }) => code === 'KubernetesNamespaceMissing')) return [absent(region, namespace)];
  const idle = 'seen' in drills && drills.seen.length === 0;
  const pods = idle ? jobs.flatMap(({ object }) => podsOf(object)) : [];
  const within = `for drills in ${namespace}`;
  return [
    ...over(
      missingVerbs,
      (verbs) => verbs.map((verb) => verbMissing(verb, role)),
      'RightsUnknown',
      'what Argus may do',
    ),
    ...refused,
    ...over(others, (names) => judgeOthers(namespace, names), 'DrillNamespaceUnknown', `what else is in ${namespace}`),
    ...jobs.flatMap(({ job, references }) =>
      references.flatMap((each) =>
        judgeReference(namespace, each).map((finding) => ({
          ...finding,
          job,
          hint: referenceHint(namespace, finding),
        })),
      ),
    ),
    ...told(
      over(of.quotas, (seen) => judgeQuotas(seen, pods), 'QuotaUnknown', `the quotas of ${namespace}`),
      within,
    ),
    ...told(
      over(of.limits, (seen) => judgeLimits(seen, pods), 'LimitRangeUnknown', `the LimitRanges of ${namespace}`),
      within,
    ),
    ...('seen' in places.operators ? judgeScope(namespace, places.operators.seen) : []),
  ];
}

const inManifest = 'correct the manifest that jobs[].drill.kubernetes names (docs/drills.md)';

const absent = (region: string, namespace: string): Finding => ({
  severity: 'refused',
  code: 'KubernetesNamespaceMissing',
  message: `${region} has no namespace ${namespace}, in which drills are to make their jobs`,
  hint: `kubectl create namespace ${namespace}; then apply fixtures/kubernetes/${role}.yaml to it`,
});

/** Nothing is allowed: whether it is there at all the server doesn't say then. */
const closed = (region: string, namespace: string, there: Looked<boolean>): Finding => ({
  severity: 'refused',
  code: 'DrillRightsMissing',
  message: `Argus may do nothing of what a drill does in the namespace ${namespace} of ${region}${'seen' in there ? '' : ', if there is one'}`,
  hint: `kubectl create namespace ${namespace} where it is not there; then apply fixtures/kubernetes/${role}.yaml to it`,
});

function judgeOthers(namespace: string, names: readonly string[]): readonly Finding[] {
  if (names.length === 0) return [];
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ' …' : ''}`;
  return [
    {
      severity: 'warning',
      code: 'DrillNamespaceShared',
      message: `the namespace ${namespace} is for drills, and has FlinkDeployments of others: ${shown}`,
      hint: 'give drills a namespace of their own: its quota and its rights are theirs alone then',
    },
  ];
}

const referenceHint = (namespace: string, { code, hint }: Finding): string =>
  code === 'ReferenceUnknown' ? forCheck : hint.replace('bring it to the standby', `put it into ${namespace} once`);

function judgeScope(namespace: string, operators: readonly DrillOperator[]): readonly Finding[] {
  const watches = ({ scope }: DrillOperator) =>
    'unseen' in scope || scope.seen === undefined ? undefined : scope.seen === 'all' || scope.seen.includes(namespace);
  if (operators.length === 0 || operators.some((each) => watches(each) === true)) return [];
  const silent = operators.find((each) => watches(each) === undefined);
  if (silent !== undefined) {
    const why = 'unseen' in silent.scope ? silent.scope.unseen.message : 'its Deployment and ConfigMaps don’t tell';
    const message = `whether the Flink operator ${silent.name} looks after ${namespace} is not known: ${why}`;
    return [{ severity: 'warning', code: 'OperatorScopeUnknown', message, hint: forCheck }];
  }
  const names = operators.map(({ name }) => name).join(', ');
  return [
    {
      severity: 'refused',
      code: 'OperatorElsewhere',
      message: `the Flink operator (${names}) does not look after the namespace ${namespace}: nothing would come of a drill’s FlinkDeployment`,
      hint: `add ${namespace} to watchNamespaces of its Helm chart (kubernetes.operator.watched.namespaces)`,
    },
  ];
}

/** What was read with what it is for; what could not be read says that itself, and how it could. */
const told = (findings: readonly Finding[], what: string): readonly Finding[] =>
  findings.map((each) =>
    each.code.endsWith('Unknown') ? { ...each, hint: forCheck } : { ...each, message: `${what}: ${each.message}` },
  );
