import type { SessionCluster } from '../regions/flink/flink-jobs.ts';
import type { StartRoute } from '../regions/flink/flink-start-route.ts';
import type { AccessQuestion, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import type { Problem } from './preflight.ts';
import { type PodsNeeded, podsOf, type Reference } from './standby-pods.ts';
import {
  judgeCapacity,
  judgeImages,
  judgeLimits,
  judgeQuotas,
  type NodeRoom,
  type PodLimits,
  type Quota,
} from './standby-room.ts';
import { judgeWarmth, warmthOf } from './standby-warmth.ts';

/** Something that a failover would meet. */
export interface Finding {
  /** Absent: it is about all jobs. */
  readonly job?: string;
  readonly severity: 'refused' | 'warning';
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}

/** What was looked at, or why it couldn't be. */
export type Looked<T> = { readonly seen: T } | { readonly unseen: Problem };

/** A verb that Argus uses in the standby. */
export interface UsedVerb extends AccessQuestion {
  /** Only for the reasons of a failure, for this check, or for what seldom has to be done. */
  readonly optional: boolean;
  /** What could not be done without it; default: why a job fails could not be told. */
  readonly without?: string;
}

/** One job's FlinkDeployment in the standby. */
export interface StandbyJob {
  readonly job: string;
  readonly namespace: string;
  readonly deployment: string;
  /** Name of its FlinkSessionJob: then `deployment` is its session cluster. */
  readonly session?: string;
  /**
   * What would be applied; without a manifest, the object that is there. Of a session job its cluster with the job in it,
   * as one FlinkDeployment.
   */
  readonly object: Looked<KubernetesObject | undefined>;
  /** Its session cluster is there: it brings no pods along. */
  readonly podsAreThere?: boolean;
  readonly hasManifest: boolean;
  /** What the server said to all of it, without storing it. */
  readonly dryRun: Looked<true>;
  readonly route: Looked<StartRoute>;
  readonly missingVerbs: Looked<readonly UsedVerb[]>;
  readonly references: readonly {
    readonly reference: Reference;
    readonly found: Looked<'there' | 'absent' | 'no-key'>;
  }[];
  /** The primary's object; undefined: it has none. */
  readonly primary: Looked<KubernetesObject | undefined>;
}

/** What one namespace allows. */
export interface StandbyNamespace {
  readonly namespace: string;
  readonly quotas: Looked<readonly Quota[]>;
  readonly limits: Looked<readonly PodLimits[]>;
}

/** What runs of the operator: its Deployments; none is found where it runs in another way. */
export type OperatorSeen = readonly { readonly name: string; readonly available: number }[];

/** A standby whose jobs have FlinkDeployments. */
export interface StandbyKubernetes {
  readonly jobs: readonly StandbyJob[];
  /** Names of the jobs whose standby is to be warm. */
  readonly warm: ReadonlySet<string>;
  readonly clusters: Looked<readonly SessionCluster[]>;
  readonly namespaces: readonly StandbyNamespace[];
  readonly nodes: Looked<readonly NodeRoom[]>;
  readonly operator: Looked<OperatorSeen>;
}

/** A standby with a session cluster. */
export interface StandbySession {
  readonly slots: { readonly free: number; readonly total: number };
  readonly jobs: readonly { readonly job: string; readonly parallelism: number; readonly jar: Looked<true> }[];
}

export interface StandbyVerdict {
  readonly verdict: 'ready' | 'ready-with-warnings' | 'refused';
  readonly findings: readonly Finding[];
}

/** The verdict over findings, each told once, what is refused first. Pure. */
export function standbyVerdict(findings: readonly Finding[]): StandbyVerdict {
  const once = findings.filter(
    (f, i) => findings.findIndex((o) => o.job === f.job && o.code === f.code && o.message === f.message) === i,
  );
  const refused = once.filter((f) => f.severity === 'refused');
  const warnings = once.filter((f) => f.severity === 'warning');
  const verdict = refused.length > 0 ? 'refused' : warnings.length > 0 ? 'ready-with-warnings' : 'ready';
  return { verdict, findings: [...refused, ...warnings] };
}

/** What a failover would meet in a standby with FlinkDeployments. Pure. */
export function judgeStandbyKubernetes(facts: StandbyKubernetes): readonly Finding[] {
  const pods = (of: readonly StandbyJob[]): readonly PodsNeeded[] =>
    of.flatMap(({ object, podsAreThere }) =>
      podsAreThere !== true && 'seen' in object && object.seen !== undefined ? podsOf(object.seen) : [],
    );
  const all = pods(facts.jobs);
  return [
    ...facts.jobs.flatMap(judgeJob),
    ...judgeWarmth(warmthOf(facts)),
    ...over(facts.clusters, () => [], 'ClustersUnknown', 'how the session clusters are'),
    ...facts.namespaces.flatMap(({ namespace, quotas, limits }) => {
      const here = pods(facts.jobs.filter((job) => job.namespace === namespace));
      return [
        ...over(quotas, (seen) => judgeQuotas(seen, here), 'QuotaUnknown', `the quotas of ${namespace}`),
        ...over(limits, (seen) => judgeLimits(seen, here), 'LimitRangeUnknown', `the LimitRanges of ${namespace}`),
      ];
    }),
    ...over(
      facts.nodes,
      (seen) => [...judgeCapacity(seen, all), ...judgeImages(seen, all)],
      'NodesUnknown',
      'room and images on the nodes',
    ),
    ...over(facts.operator, judgeOperator, 'OperatorUnknown', 'whether the Flink operator runs'),
  ];
}

/** What a failover would meet in a standby with a session cluster. Pure. */
export function judgeStandbySession({ slots, jobs }: StandbySession): readonly Finding[] {
  const wanted = jobs.reduce((sum, { parallelism }) => sum + parallelism, 0);
  const findings = jobs.flatMap(({ job, jar }) => ('unseen' in jar ? [problem('refused', jar.unseen, job)] : []));
  if (slots.free >= wanted) return findings;
  const message = `${slots.free} of ${slots.total} task slots are free, and ${wanted} are needed`;
  const hint = 'add TaskManagers or slots, or end the jobs that run there';
  return [...findings, { severity: 'refused', code: 'SlotsTooFew', message, hint }];
}

function judgeJob(facts: StandbyJob): readonly Finding[] {
  const { job, object, dryRun, route } = facts;
  const findings: Finding[] = [];
  const verbs = over(
    facts.missingVerbs,
    (missing) =>
      missing.map((verb) => verbMissing(verb, facts.session === undefined ? 'rbac-standby' : 'rbac-session-standby')),
    'RightsUnknown',
    'what Argus may do',
  );
  findings.push(...verbs);
  // Each verb that is missing is told above.
  const named = (p: Problem) => p.code === 'KubernetesForbidden' && verbs.length > 0;
  for (const looked of [object, dryRun, route]) {
    if ('unseen' in looked && !named(looked.unseen)) findings.push(problem('refused', looked.unseen));
  }
  const blocked = findings.some(({ code }) => code === 'KubernetesNamespaceMissing');
  if ('seen' in route) findings.push(...judgeRoute(facts, route.seen));
  if (!blocked) findings.push(...facts.references.flatMap((each) => judgeReference(facts.namespace, each)));
  if ('seen' in object && object.seen !== undefined) {
    findings.push(...judgeVersions(object.seen, facts.primary), ...sizesUnknown(podsOf(object.seen)));
  }
  return findings.map((finding) => ({ ...finding, job }));
}

function judgeRoute({ deployment, session, hasManifest }: StandbyJob, route: StartRoute): readonly Finding[] {
  switch (route.kind) {
    case 'refused':
      return [{ severity: 'refused', code: route.code, message: route.message, hint: route.hint }];
    case 'wait': {
      const hint = 'a failover waits for that; see whether it ends: kubectl get pods';
      return [{ severity: 'warning', code: 'StillEnding', message: route.waitingFor, hint }];
    }
    case 'replace': {
      if (hasManifest) return [];
      const object = session === undefined ? `FlinkDeployment ${deployment}` : `FlinkSessionJob ${session}`;
      const message = `the ${object} must be deleted and made anew (${route.because}), and nothing but it says how`;
      const hint = 'keep its manifest in a file and name it in jobs[].kubernetes';
      return [{ severity: 'refused', code: 'ManifestMissing', message, hint }];
    }
    case 'clear':
    case 'create':
    case 'apply':
    case 'redeploy':
      return [];
  }
}

/** A verb that Argus may not use; `role` is the file of those that it needs, in fixtures/kubernetes. */
export function verbMissing(
  { verb, group, resource, subresource, namespace, optional, without }: UsedVerb,
  role: string,
): Finding {
  const what = `${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
  const where = namespace === undefined ? 'in the whole cluster' : `in the namespace ${namespace}`;
  return {
    severity: optional ? 'warning' : 'refused',
    code: 'VerbMissing',
    message: `Argus may not ${verb} ${what} ${where}${optional ? `: ${without ?? 'why a job fails could not be told'}` : ''}`,
    hint: `apply fixtures/kubernetes/${role}.yaml, or let the role of Argus have this verb`,
  };
}

/** Whether something that pods need is there. */
export function judgeReference(namespace: string, each: StandbyJob['references'][number]): readonly Finding[] {
  const { kind, name, key } = each.reference;
  const what = `${kind} ${namespace}/${name}`;
  return over(
    each.found,
    (found) => {
      if (found === 'there') return [];
      const message =
        found === 'absent'
          ? `the manifest names the ${what}, which is not there`
          : `the ${what} has no key "${key}", which the manifest names`;
      const hint = 'bring it to the standby: no pod starts without it';
      return [
        { severity: 'refused', code: found === 'absent' ? `${kind}Missing` : `${kind}KeyMissing`, message, hint },
      ];
    },
    'ReferenceUnknown',
    `whether the ${what} is there`,
  );
}

/** Both sides' word for Flink's version and for the program. */
function judgeVersions(standby: KubernetesObject, primary: StandbyJob['primary']): readonly Finding[] {
  const hint = 'compare by hand: spec.flinkVersion, spec.image and spec.job of both sides';
  return over(
    primary,
    (seen) => {
      if (seen === undefined) {
        const message =
          'whether Flink and the job are the same on both sides is not known: the primary has no such object';
        return [{ severity: 'warning', code: 'VersionsUnknown', message, hint }];
      }
      const [here, there] = [versions(standby), versions(seen)];
      const differs = (key: keyof typeof here) => here[key] !== there[key];
      const text = (key: keyof typeof here) => `${here[key] ?? 'none'} here, ${there[key] ?? 'none'} on the primary`;
      const findings: Finding[] = [];
      if (differs('flinkVersion')) {
        const what = `spec.flinkVersion is ${text('flinkVersion')}`;
        const same = 'give both sides the same version: a checkpoint of a later one is not read by an earlier one';
        findings.push({ severity: 'refused', code: 'FlinkVersionDiffers', message: what, hint: same });
      }
      // Registries may differ by region.
      if (here.image?.replace(/^.*\//, '') !== there.image?.replace(/^.*\//, '')) {
        findings.push({ severity: 'warning', code: 'ImageDiffers', message: `spec.image is ${text('image')}`, hint });
      }
      for (const key of ['jarURI', 'entryClass'] as const) {
        // A session job's jar lies elsewhere than an application's.
        if (fileName(here[key]) === fileName(there[key])) continue;
        findings.push({ severity: 'warning', code: 'JobDiffers', message: `spec.job.${key} is ${text(key)}`, hint });
      }
      return findings;
    },
    'VersionsUnknown',
    'whether Flink and the job are the same on both sides',
  );
}

function versions(object: KubernetesObject) {
  const spec = object.spec as Record<string, unknown> | undefined;
  const job = spec?.job as Record<string, unknown> | undefined;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    flinkVersion: text(spec?.flinkVersion),
    image: text(spec?.image),
    jarURI: text(job?.jarURI),
    entryClass: text(job?.entryClass),
  };
}

const fileName = (path: string | undefined) => path?.replace(/^.*\//, '');

function sizesUnknown(pods: readonly PodsNeeded[]): readonly Finding[] {
  return pods
    .filter(({ requests }) => requests === undefined)
    .map(({ component }) => ({
      severity: 'warning',
      code: 'SizeUnknown',
      message: `how much a ${component} takes is not told by the manifest: quota and room are not compared for it`,
      hint: `give ${component.charAt(0).toLowerCase()}${component.slice(1)}.resource in the manifest`,
    }));
}

/** Whether the Flink operator runs. */
export function judgeOperator(seen: OperatorSeen): readonly Finding[] {
  if (seen.some(({ available }) => available > 0)) return [];
  const down = seen.map(({ name }) => name).join(', ');
  if (seen.length > 0) {
    const hint = 'without it no job starts: kubectl rollout status, and its log';
    const message = `no pod of the Flink operator is available (Deployment ${down})`;
    return [{ severity: 'refused', code: 'OperatorDown', message, hint }];
  }
  const hint = 'see that it runs; it is looked for by the label app.kubernetes.io/name=flink-kubernetes-operator';
  const message = 'whether the Flink operator runs is not known: no Deployment of it was found';
  return [{ severity: 'warning', code: 'OperatorUnknown', message, hint }];
}

/** What follows from something that was looked at; a warning where it couldn't be. */
export function over<T>(
  looked: Looked<T>,
  judge: (seen: T) => readonly Finding[],
  code: string,
  what: string,
): readonly Finding[] {
  if ('seen' in looked) return judge(looked.seen);
  const { message, hint } = looked.unseen;
  return [
    {
      severity: 'warning',
      code,
      message: `${what} is not known: ${message}`,
      hint: hint ?? 'see by hand, or let Argus read it',
    },
  ];
}

/** A problem as something that is met. */
export function problem(severity: Finding['severity'], { code, message, hint }: Problem, job?: string): Finding {
  const told = { severity, code, message, hint: hint ?? 'see the message; nothing was changed' };
  return job === undefined ? told : { ...told, job };
}
