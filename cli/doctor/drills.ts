import { randomBytes } from 'node:crypto';
import { bubbleOf } from '../../domain/bubble.ts';
import { ArgusError } from '../../domain/errors.ts';
import { drilledJob } from '../../drills/isolated/drilled-jobs.ts';
import { drillRunbook } from '../../drills/isolated/run-isolated-drill.ts';
import type { DoctorFinding } from '../../health/doctor/finding.ts';
import { fromStandby } from '../../health/doctor/from-checks.ts';
import { judgeDrillPlaces } from '../../health/drill-place-check.ts';
import { gatherDrillPlaces } from '../../health/gather-drill-places.ts';
import { type Finding, problem } from '../../health/standby-check.ts';
import { manifestFile } from '../../regions/flink/flink-manifest-source.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { runId } from '../../state/journal.ts';
import type { Composition } from '../compose.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';

/**
 * What drills would meet in a region where their jobs are FlinkDeployments: their manifests as a drill's plan judges
 * them, and what Kubernetes has for them. In a region that doesn't stand by now nothing of it is an error yet.
 */
export async function lookAtDrillPlaces(
  check: string,
  context: CommandContext,
  composition: Composition,
  { region, standsBy }: { readonly region: string; readonly standsBy: boolean },
): Promise<readonly DoctorFinding[]> {
  const { config, regions } = composition;
  const { kubernetes } = regions.get(region) ?? {};
  if (kubernetes === undefined) return [];
  const planned = await plannedObjects(context, composition, region);
  const inCluster = async () => {
    const facts = await gatherDrillPlaces({
      kubernetes,
      namespaces: [...new Set(config.jobs.flatMap(({ drill }) => drill?.kubernetes?.[region]?.namespace ?? []))],
      objects: planned.objects,
      serviceProxy: config.regions[region]?.flink.kubernetes?.rest === undefined,
      signal: context.signal,
    });
    return fromStandby(check, region, { findings: judgeDrillPlaces(facts) });
  };
  const seen = await inCluster().catch((error: unknown) => [unknown(check, region, error)]);
  context.signal.throwIfAborted();
  const found = [...fromStandby(check, region, planned), ...seen];
  if (standsBy) return found;
  return found.map((each) => (each.severity === 'error' ? { ...each, severity: 'warning' } : each));
}

/** A region that doesn't answer says nothing about the other. */
function unknown(check: string, region: string, error: unknown): DoctorFinding {
  if (!(error instanceof ArgusError)) throw error;
  const { code, message, hint = 'see what the check of connections says' } = error;
  return { check, code, severity: 'unknown', region, message: `what drills need in ${region}: ${message}`, fix: hint };
}

/** The FlinkDeployments that a drill would make now, and why others would be refused. */
async function plannedObjects(
  { clock }: CommandContext,
  { config, regions, folder }: Composition,
  region: string,
): Promise<{
  readonly objects: readonly { readonly job: string; readonly object: KubernetesObject }[];
  readonly findings: readonly Finding[];
}> {
  const bubble = bubbleOf(runId(clock.now(), drillRunbook, randomBytes(2).toString('hex')));
  const storeUri = regions.get(region)?.objects.uri ?? '';
  const objects: { job: string; object: KubernetesObject }[] = [];
  const findings: Finding[] = [];
  for (const [n, job] of config.jobs.entries()) {
    // That no drill tries a job at all is told with the jobs.
    if (job.drill === undefined) continue;
    try {
      const path = job.drill.kubernetes?.[region]?.manifest;
      const manifest = path === undefined ? undefined : await manifestFile(pathFrom(folder, path));
      const configured = { config: job, jarPath: '', ...(manifest && { manifest }) };
      const drilled = drilledJob(configured, n, { region, bubble, storeUri, deployments: true });
      if ('refused' in drilled) findings.push(problem('refused', drilled.refused, job.name));
      else if (drilled.manifest !== undefined) objects.push({ job: job.name, object: drilled.manifest });
    } catch (error) {
      if (!(error instanceof ArgusError) || error.code !== 'ManifestInvalid') throw error;
      const { code, message } = error;
      const hint = `correct jobs[].drill.kubernetes.${region}.manifest, or put the file there`;
      findings.push(problem('refused', { code, message, hint }, job.name));
    }
  }
  return { objects, findings };
}
