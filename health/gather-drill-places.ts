import { isOfSomeDrill } from '../domain/bubble.ts';
import { flinkDeploymentKind } from '../regions/flink/flink-deployment.ts';
import { tryManifest } from '../regions/flink/flink-kubernetes-start.ts';
import { configMapsOf, operatorScope } from '../regions/flink/operator-scope.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import type { DrillNamespace, DrillObject, DrillOperator, DrillPlaces } from './drill-place-check.ts';
import { lookAtNamespace, nodeRooms, operatorDeployments, operatorSeen } from './gather-standby.ts';
import { look, lookAtReferences, missing } from './look-kubernetes.ts';
import type { Looked, UsedVerb } from './standby-check.ts';

/** What is looked at in a region. */
export interface DrillPlaceSources {
  readonly kubernetes: KubernetesApi;
  /** Those for drills. */
  readonly namespaces: readonly string[];
  /** FlinkDeployments as a drill would make them. */
  readonly objects: readonly { readonly job: string; readonly object: KubernetesObject }[];
  /** Jobs' REST interfaces are reached through the API server. */
  readonly serviceProxy: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Looks at all that a drill needs where its jobs are FlinkDeployments. Changes nothing: what is written is a dry run.
 * Throws when the API server doesn't answer or refuses the credentials.
 */
export async function gatherDrillPlaces(sources: DrillPlaceSources): Promise<DrillPlaces> {
  const { kubernetes, signal } = sources;
  const call = signal === undefined ? {} : { signal };
  // Who can't be reached is told once, not once for each question.
  await kubernetes.user(call);
  const [namespaces, jobs, nodes, operators] = await Promise.all([
    Promise.all(sources.namespaces.map((each) => lookAtDrillNamespace(sources, each, call))),
    Promise.all(sources.objects.map((each) => lookAtObject(kubernetes, each, call))),
    look(() => nodeRooms(kubernetes, call), call),
    look(() => lookAtOperators(kubernetes, call), call),
  ]);
  return { region: kubernetes.region, namespaces, jobs, nodes, operators };
}

async function lookAtDrillNamespace(
  { kubernetes, serviceProxy }: DrillPlaceSources,
  namespace: string,
  call: CallOptions,
): Promise<DrillNamespace> {
  const verbs = verbsIn(namespace, serviceProxy);
  const [there, missingVerbs, listed, room] = await Promise.all([
    look(async () => (await kubernetes.get({ ...namespaceKind, name: namespace }, call)) !== undefined, call),
    look(() => missing(kubernetes, verbs, call), call),
    look(() => kubernetes.list(flinkDeploymentKind, { namespace }, call), call),
    lookAtNamespace(kubernetes, namespace, call),
  ]);
  const named = (drills: boolean): Looked<readonly string[]> => {
    if ('unseen' in listed) return listed;
    const names = listed.seen.map(({ metadata }) => metadata.name);
    return { seen: names.filter((name) => isOfSomeDrill('kubernetes', name) === drills) };
  };
  const flinkVerbs = verbs.filter(({ resource }) => resource === 'flinkdeployments').length;
  return { ...room, there, flinkVerbs, missingVerbs, drills: named(true), others: named(false) };
}

const namespaceKind = { apiVersion: 'v1', kind: 'Namespace' };
const notForced = 'a drill’s job that does not end by itself would be left';

/** What a drill does there (fixtures/kubernetes/rbac-drill.yaml). */
function verbsIn(namespace: string, serviceProxy: boolean): readonly UsedVerb[] {
  const core = (resource: string, verb: string) => ({ group: '', resource, verb, namespace, optional: false });
  const flink = { group: 'flink.apache.org', resource: 'flinkdeployments', namespace, optional: false };
  return [
    ...['get', 'list', 'create', 'patch', 'delete'].map((verb) => ({ ...flink, verb })),
    core('pods', 'list'),
    { ...core('pods', 'delete'), optional: true, without: notForced },
    { ...core('deployments', 'delete'), group: 'apps', optional: true, without: notForced },
    core('configmaps', 'list'),
    ...(serviceProxy ? [{ ...core('services', 'get'), subresource: 'proxy' }] : []),
    { ...core('events', 'list'), optional: true },
    { ...core('pods', 'get'), subresource: 'log', optional: true },
  ];
}

async function lookAtObject(
  kubernetes: KubernetesApi,
  { job, object }: DrillPlaceSources['objects'][number],
  call: CallOptions,
): Promise<DrillObject> {
  const { name, namespace = '' } = object.metadata;
  const manifest = { deployment: object, configMaps: [] };
  const nothing = { object: undefined, deployment: undefined, pods: [] };
  const [dryRun, references] = await Promise.all([
    look(async () => {
      await tryManifest(kubernetes, { name: job, namespace, deployment: name }, { manifest, seen: nothing }, call);
      return true as const;
    }, call),
    lookAtReferences(kubernetes, namespace, { object: { seen: object }, brought: undefined }, call),
  ]);
  return { job, namespace, object, dryRun, references };
}

async function lookAtOperators(kubernetes: KubernetesApi, call: CallOptions): Promise<readonly DrillOperator[]> {
  const found = await operatorDeployments(kubernetes, call);
  return Promise.all(
    found.map(async (deployment) => {
      const { namespace } = deployment.metadata;
      const scope = await look(async () => {
        const read = configMapsOf(deployment).map((name) =>
          kubernetes.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, call),
        );
        return operatorScope(
          deployment,
          (await Promise.all(read)).filter((each) => each !== undefined),
        );
      }, call);
      return { ...operatorSeen(deployment), scope };
    }),
  );
}
