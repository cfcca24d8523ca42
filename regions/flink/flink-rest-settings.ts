import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { FlinkJobSettings, FlinkRelease } from './flink-jobs.ts';

/** Gets an answer of Flink's REST interface about one job; `JobMissing` where it is 404. */
type Ask = <T>(what: string, path: string, answer: z.ZodType<T>) => Promise<T>;

const checkpointConfig = z.object({
  mode: z.string(),
  interval: z.number(),
  timeout: z.number(),
  externalization: z.object({ enabled: z.boolean(), delete_on_cancellation: z.boolean() }),
  state_backend: z.string().nullish(),
  checkpoint_storage: z.string().nullish(),
  unaligned_checkpoints: z.boolean().nullish(),
  state_changelog_enabled: z.boolean().nullish(),
});
const clusterConfig = z.array(z.object({ key: z.string(), value: z.string() }));
const dashboard = z.object({ 'flink-version': z.string().nullish() });
const details = z.object({ vertices: z.array(z.object({ name: z.string() })) });

/**
 * A job's settings from `/jobs/:id`, `/jobs/:id/checkpoints/config`, `/jobmanager/config` and `/config`.
 * Source: CheckpointConfigInfo, ClusterConfigurationInfo, DashboardConfiguration, JobDetailsInfo; Flink 2.2.
 */
export async function readJobSettings(ask: Ask, jobId: string): Promise<FlinkJobSettings> {
  const what = `settings of job ${jobId}`;
  const job = `/jobs/${encodeURIComponent(jobId)}`;
  const { vertices } = await ask(what, job, details);
  const checkpoints = await ask(what, `${job}/checkpoints/config`, checkpointConfig).catch((error: unknown) => {
    // The job is known, so this is how Flink says that it takes no checkpoints.
    if (error instanceof ArgusError && error.code === 'JobMissing') return undefined;
    throw error;
  });
  const [cluster, version] = await Promise.all([
    ask(what, '/jobmanager/config', clusterConfig),
    ask(what, '/config', dashboard),
  ]);
  const flinkVersion = version['flink-version'];
  return {
    ...(flinkVersion ? { flinkVersion } : {}),
    ...(checkpoints === undefined ? {} : { checkpointing: checkpointing(checkpoints) }),
    cluster: new Map(cluster.map(({ key, value }) => [key, value])),
    operators: [...new Set(vertices.flatMap((vertex) => operatorNames(vertex.name)))],
  };
}

/** The cluster's release from `/config`; none where it doesn't tell. Source: DashboardConfiguration, Flink 2.2. */
export async function readRelease(ask: Ask): Promise<readonly FlinkRelease[]> {
  const { 'flink-version': version } = await ask('version', '/config', dashboard);
  return version ? [{ version }] : [];
}

function checkpointing(config: z.output<typeof checkpointConfig>): NonNullable<FlinkJobSettings['checkpointing']> {
  const { enabled, delete_on_cancellation: deleted } = config.externalization;
  return {
    mode: config.mode,
    // Flink says Long.MAX_VALUE for "never".
    ...(config.interval < Number.MAX_SAFE_INTEGER ? { intervalMs: config.interval } : {}),
    timeoutMs: config.timeout,
    whenEnded: enabled ? (deleted ? 'deleted-on-cancellation' : 'kept') : 'deleted',
    ...(config.state_backend ? { stateBackend: config.state_backend } : {}),
    ...(config.checkpoint_storage ? { storage: config.checkpoint_storage } : {}),
    unaligned: config.unaligned_checkpoints ?? false,
    changelog: config.state_changelog_enabled ?? false,
  };
}

/** A task's name lists its chain: `a -> b: Writer -> b: Committer`, `a -> (b: Writer, c)`. */
export function operatorNames(task: string): readonly string[] {
  return task
    .split(/\s*->\s*|[(),]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
