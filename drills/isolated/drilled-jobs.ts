import type { Bubble } from '../../domain/bubble.ts';
import { requireInBubble } from '../../domain/bubble.ts';
import type { JobConfig } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ManifestFile } from '../../regions/flink/flink-manifest.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { toFailure } from '../../runbooks/engine/failures.ts';
import type { Failure } from '../../state/journal.ts';
import type { DrilledJob } from './context.ts';
import { drillManifest } from './drill-manifest.ts';
import { filler, lackingPlaceholders } from './placeholders.ts';

/** A job as it is configured, and what it is started from. */
export interface ConfiguredJob {
  readonly config: JobConfig;
  /** Absolute path. */
  readonly jarPath: string;
  /** Where drills' jobs are FlinkDeployments: the file that `drill.kubernetes` names. Absent: it names none. */
  readonly manifest?: ManifestFile;
}

/** Where a drill takes place. */
export interface DrillPlace {
  readonly region: string;
  readonly bubble: Bubble;
  readonly storeUri: string;
  /** Its jobs are FlinkDeployments. */
  readonly deployments: boolean;
}

/** A job as a drill starts it, or why it can't take part: it would touch production. Pure. */
export function drilledJob(
  configured: ConfiguredJob,
  n: number,
  place: DrillPlace,
): DrilledJob | { readonly refused: Failure } {
  const { config, jarPath, manifest: file } = configured;
  const { region, bubble, storeUri, deployments } = place;
  const at = deployments ? config.drill?.kubernetes?.[region] : undefined;
  const args = deployments ? [] : config.drill?.args?.[region];
  const refused = refusalOf(configured, place);
  if (refused !== undefined) return { refused };
  const names = {
    group: bubble.group(config.consumerGroup),
    transactionalIdPrefix: bubble.transactionalIdPrefix(config.name),
    checkpoints: `${storeUri}/${bubble.checkpoints(config.name)}`,
  };
  const filled = filler(bubble, names);
  let manifest: KubernetesObject | undefined;
  try {
    if (at !== undefined && file !== undefined) {
      const { namespace } = at;
      const { checkpoints } = names;
      manifest = drillManifest({ file, name: bubble.kubernetes(n), namespace, checkpoints, filler: filled });
    }
  } catch (error) {
    if (error instanceof ArgusError && error.exitCode === 2)
      return { refused: { ...toFailure(error), hint: `correct the file that ${keyOf(place)} names (docs/drills.md)` } };
    throw error;
  }
  const replaced = (args ?? []).map((arg) => filled.fill(arg));
  const lacking = lackingPlaceholders(config.writes ?? [], filled.used);
  if (lacking.length > 0) return { refused: incomplete(config.name, place, lacking) };
  const job: DrilledJob = {
    config,
    jarPath,
    args: replaced,
    ...(manifest === undefined ? {} : { manifest }),
    topics: filled.topics,
    group: names.group,
    transactionalIdPrefix: names.transactionalIdPrefix,
    flinkJobId: bubble.flinkJobId(n),
    checkpoints: bubble.checkpoints(config.name),
    restore: bubble.restore(config.name),
  };
  for (const topic of job.topics.values()) requireInBubble(bubble, 'topic', topic);
  requireInBubble(bubble, 'group', job.group);
  requireInBubble(bubble, 'transactionalId', job.transactionalIdPrefix);
  requireInBubble(bubble, 'object', job.checkpoints);
  requireInBubble(bubble, 'object', job.restore);
  if (manifest !== undefined) requireInBubble(bubble, 'kubernetes', manifest.metadata.name);
  return job;
}

/** Where a job's placeholders are, in the configuration. */
const keyOf = ({ deployments }: Pick<DrillPlace, 'deployments'>) => (deployments ? 'drill.kubernetes' : 'drill.args');

function refusalOf({ config, manifest }: ConfiguredJob, place: DrillPlace): Failure | undefined {
  const { name, writes, submit, drill } = config;
  const { region, deployments } = place;
  const given = deployments ? manifest : drill?.args?.[region];
  if (given === undefined) {
    const key = keyOf(place);
    const own = deployments ? 'manifest' : 'arguments';
    return {
      code: 'DrillNotConfigured',
      message: `${name} has no ${key} for ${region}: with its own ${own} it would write what production writes`,
      hint: `give jobs[].${key}.${region}, or leave the job out: \`argus drill run --job <others>\` (docs/drills.md)`,
    };
  }
  if (!deployments && submit === undefined) {
    return {
      code: 'DrillNeedsJar',
      message: `${name} has no \`submit\`: drills start jobs from their jar in ${region}, in a session cluster`,
      hint: `give jobs[].submit; where the Flink operator runs the jobs, jobs[].drill.kubernetes.${region} in its place`,
    };
  }
  if (writes !== undefined || drill?.muted === true) return undefined;
  return {
    code: 'WritesUnknown',
    message: `what ${name} writes is not configured: nobody can tell whether its output stays in the drill`,
    hint: 'name its topics in jobs[].writes, or say that these arguments keep it from writing: drill.muted',
  };
}

const incomplete = (job: string, place: DrillPlace, lacking: readonly string[]): Failure => ({
  code: 'DrillArgsIncomplete',
  message: `${keyOf(place)} of ${job} for ${place.region} lacks ${lacking.join(', ')}: it would use production's`,
  hint: 'put the placeholders where the job is told its group, its transactional id prefix and its output topics',
});
