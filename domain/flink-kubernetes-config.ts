import { z } from 'zod';
import { serviceUrl } from './config-values.ts';

/** A name of an object: RFC 1123, as Kubernetes checks it. */
const objectName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'lower-case letters, digits, - and .');
/** A namespace: RFC 1123. */
export const namespaceName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and -');
/** Source: `DefaultValidator` of the operator. */
const deploymentName = z.string().regex(/^[a-z]([-a-z\d]{0,43}[a-z\d])?$/, 'up to 45 lower-case letters, digits and -');
const configMapKey = z.strictObject({
  configMap: objectName,
  key: z.string().regex(/^[-._a-zA-Z0-9]+$/, 'letters, digits, -, _ and .'),
});

/** `regions.<name>.flink`: a session cluster by its REST interface, or objects of the Flink Kubernetes Operator for each job. */
export const flinkSection = z
  .strictObject({
    /** URL of the JobManager's REST interface. */
    rest: serviceUrl.optional(),
    /** Jobs have FlinkDeployments or FlinkSessionJobs, which `jobs[].kubernetes` names. */
    kubernetes: z
      .strictObject({
        /** How a job is ended: its object deleted, or kept and suspended, so that anybody can resume it. */
        stop: z.enum(['delete', 'suspend']).default('delete'),
        /**
         * REST interface of a deployment, with `{namespace}` and `{deployment}`; default: through the API server, which
         * needs no route into the cluster's network.
         */
        rest: z
          .string()
          .regex(/^https?:\/\/[^\s@]+$/, 'a URL with {namespace} and {deployment}')
          .optional(),
      })
      .optional(),
  })
  .superRefine(({ rest, kubernetes }, ctx) => {
    if ((rest === undefined) === (kubernetes === undefined)) {
      const message = 'rest (a session cluster) or kubernetes (FlinkDeployments) is needed, not both';
      ctx.addIssue({ code: 'custom', path: [], message });
    }
  });

/** `jobs[].kubernetes.<region>`: where a job's FlinkDeployment or FlinkSessionJob is, and what it is made of. */
export const jobDeployment = z.strictObject({
  namespace: namespaceName,
  /** Name of the FlinkDeployment: the job's own, or its session cluster. */
  deployment: deploymentName,
  /** Name of the FlinkSessionJob: the job runs in the session cluster `deployment`. Absent: it has a cluster of its own. */
  sessionJob: objectName.optional(),
  /**
   * What is kept ready while the region stands by. `warm`: the session cluster, running, with room for the job; without
   * one, the job's image on every node. `argus standby check` says whether it is so. Default: `cold`, nothing.
   */
  standby: z.enum(['cold', 'warm']).optional(),
  /**
   * File or folder, or a ConfigMap's key in the same namespace. Absent: the object is there, made with
   * `state: suspended`, and has never run.
   */
  manifest: z.union([z.string().min(1), configMapKey]).optional(),
  /** A ConfigMap's key that gets the restored path, too. */
  restorePath: configMapKey.optional(),
});

interface Flinks {
  readonly regions: Readonly<
    Record<string, { readonly flink: z.output<typeof flinkSection>; readonly kubernetes?: unknown }>
  >;
  readonly jobs: readonly {
    readonly submit?: unknown;
    readonly kubernetes?: Readonly<Record<string, z.output<typeof jobDeployment>>> | undefined;
  }[];
}

type Place = z.output<typeof jobDeployment> | undefined;

function sameJob(one: Place, other: Place): boolean {
  if (one === undefined || other === undefined || one.namespace !== other.namespace) return false;
  // Two clusters may each have a session job, but the namespace has one of that name.
  return one.sessionJob === undefined && other.sessionJob === undefined
    ? one.deployment === other.deployment
    : one.sessionJob === other.sessionJob;
}

/** What regions and jobs lack together: each job needs a way to be started in each region. */
export function flinkGaps({
  regions,
  jobs,
}: Flinks): readonly { readonly path: (string | number)[]; readonly message: string }[] {
  const gaps: { path: (string | number)[]; message: string }[] = [];
  for (const [name, { flink, kubernetes }] of Object.entries(regions)) {
    if (flink.kubernetes === undefined) continue;
    if (kubernetes === undefined) {
      gaps.push({ path: ['regions', name, 'flink'], message: `kubernetes needs regions.${name}.kubernetes` });
    }
    jobs.forEach((job, i) => {
      if (job.kubernetes?.[name] !== undefined) return;
      gaps.push({ path: ['jobs', i], message: `kubernetes.${name} is needed: the job's FlinkDeployment there` });
    });
  }
  const session = Object.entries(regions).find(([, { flink }]) => flink.rest !== undefined);
  for (const region of Object.keys(regions)) {
    const places = jobs.map(({ kubernetes }) => kubernetes?.[region]);
    places.forEach((place, i) => {
      if (place === undefined) return;
      const first = places.find(
        (other) => other?.namespace === place.namespace && other.deployment === place.deployment,
      );
      const twin = places.findIndex((other) => sameJob(other, place));
      const message =
        twin !== i
          ? `another job has the same ${place.sessionJob === undefined ? 'FlinkDeployment' : 'FlinkSessionJob'}`
          : (first?.sessionJob === undefined) !== (place.sessionJob === undefined)
            ? 'another job has the same FlinkDeployment: as a session cluster it has no job of its own'
            : undefined;
      if (message !== undefined) gaps.push({ path: ['jobs', i, 'kubernetes', region], message });
    });
  }
  jobs.forEach((job, i) => {
    if (session !== undefined && job.submit === undefined) {
      gaps.push({ path: ['jobs', i], message: `submit is needed: ${session[0]} has a session cluster` });
    }
    for (const name of Object.keys(job.kubernetes ?? {})) {
      if (name in regions) continue;
      gaps.push({ path: ['jobs', i, 'kubernetes', name], message: `no region is called "${name}"` });
    }
  });
  return gaps;
}
