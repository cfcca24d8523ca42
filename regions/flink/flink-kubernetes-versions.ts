import { z } from 'zod';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import type { FlinkRelease } from './flink-jobs.ts';
import { deploymentRef, type KubernetesJob } from './flink-kubernetes-look.ts';

const shape = z.looseObject({
  spec: z
    .looseObject({
      flinkVersion: z.string().nullish(),
      job: z.looseObject({ state: z.string().nullish() }).nullish(),
    })
    .nullish(),
  status: z
    .looseObject({
      jobManagerDeploymentStatus: z.string().nullish(),
      clusterInfo: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

/**
 * The release of a FlinkDeployment: as the operator read it off the cluster while that runs, else as its specification
 * declares it. Pure. Source: `FlinkDeploymentStatus.clusterInfo`, `JobManagerDeploymentStatus`, `FlinkVersion` of the
 * operator.
 */
export function releaseOf(object: KubernetesObject): FlinkRelease | undefined {
  const { spec, status } = shape.safeParse(object).data ?? {};
  // What was read stays in the status when the cluster is stopped, and while another takes its place.
  const runs = spec?.job?.state !== 'suspended' && status?.jobManagerDeploymentStatus === 'READY';
  const seen = runs ? status.clusterInfo?.['flink-version'] : undefined;
  if (typeof seen === 'string' && /^\d/.test(seen)) return { version: seen };
  const [, major, minor] = /^v(\d+)_(\d+)$/.exec(spec?.flinkVersion ?? '') ?? [];
  return major === undefined ? undefined : { version: `${major}.${minor}`, declared: true };
}

/** The releases of these jobs' deployments, each once: of what is there, else by the manifest that would be applied. */
export async function deploymentReleases<J extends KubernetesJob>(
  kubernetes: KubernetesApi,
  jobs: readonly J[],
  manifestOf: (job: J) => Promise<KubernetesObject | undefined>,
  call?: CallOptions,
): Promise<readonly FlinkRelease[]> {
  const found = await Promise.all(
    jobs.map(async (job) => {
      const there = await kubernetes.get(deploymentRef(job), call);
      // A manifest that is not right is told by whoever is to apply it.
      const object = there ?? (await manifestOf(job).catch(() => undefined));
      return object && releaseOf(object);
    }),
  );
  return eachOnce(found.filter((release) => release !== undefined));
}

/** Each release once; a declared one only where no running one is of it. Pure. */
export function eachOnce(releases: readonly FlinkRelease[]): readonly FlinkRelease[] {
  const once = [...new Map(releases.map((r) => [`${r.version} ${r.declared ?? ''}`, r])).values()];
  return once
    .filter(
      (r) => r.declared !== true || !once.some((o) => o.declared !== true && o.version.startsWith(`${r.version}.`)),
    )
    .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}
