import { featureLevelsRequest } from '../../regions/kafka/feature-levels.ts';
import { readLogSizes } from '../../regions/kafka/log-sizes.ts';
import type { Region } from '../../regions/region.ts';
import { REPLICA_ROOT } from '../../replication/checkpoints/locations.ts';
import type { SeenTraffic } from './egress.ts';
import { openCluster } from './gather-clients.ts';
import type { SeenJob } from './jobs.ts';
import type { SeenVersions } from './versions.ts';

interface Call {
  readonly signal: AbortSignal;
}

/** What a region's brokers and its running jobs say of their releases; whoever is silent is left out. */
export async function gatherVersions(region: Region, { signal }: Call): Promise<SeenVersions> {
  const cluster = openCluster(region.brokers);
  try {
    const [kafka, flink] = await Promise.all([
      cluster.ask(featureLevelsRequest, signal).then(
        ({ levels }) => levels,
        () => undefined,
      ),
      flinkVersions(region, signal).catch(() => []),
    ]);
    signal.throwIfAborted();
    return { region: region.name, ...(kafka && { kafka }), flink };
  } finally {
    cluster.close();
  }
}

async function flinkVersions({ flink }: Region, signal: AbortSignal): Promise<readonly string[]> {
  const running = (await flink.list({ signal })).filter(({ state }) => state === 'RUNNING').slice(0, 10);
  const versions = await Promise.all(
    running.map(({ id }) =>
      flink.settings(id, { signal }).then(
        ({ flinkVersion }) => flinkVersion,
        () => undefined,
      ),
    ),
  );
  return [...new Set(versions.filter((version) => version !== undefined))].sort();
}

/** What the primary's Flink says of the configured jobs; a silent one is told by other checks. */
export async function gatherJobs(
  { flink }: Region,
  jobs: readonly { readonly name: string; readonly drill?: unknown }[],
  { signal }: Call,
): Promise<readonly SeenJob[]> {
  const listed = await flink.list({ signal }).catch(() => []);
  signal.throwIfAborted();
  return Promise.all(
    jobs.map(async ({ name, drill }) => {
      const id = listed.find((job) => job.name === name && job.state === 'RUNNING')?.id;
      const settings = id === undefined ? undefined : await flink.settings(id, { signal }).catch(() => undefined);
      return { job: name, drill: drill !== undefined, ...(settings && { settings }) };
    }),
  );
}

const hourMs = 3_600_000;

/** What leaves the primary: the logs of the topics twice, some seconds apart, and the replica's newest objects. */
export async function gatherTraffic(sources: {
  readonly primary: Region;
  readonly standby: Region;
  readonly topics: readonly string[];
  readonly waitMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}): Promise<SeenTraffic> {
  const { primary, standby, topics, waitMs, now, sleep, signal } = sources;
  const cluster = openCluster(primary.brokers);
  try {
    const before = await readLogSizes(cluster, topics, signal);
    const fromMs = now();
    const [{ objects }] = await Promise.all([standby.objects.list(REPLICA_ROOT, { signal }), sleep(waitMs, signal)]);
    const after = await readLogSizes(cluster, topics, signal);
    const seconds = Math.max(1, now() - fromMs) / 1_000;
    // What retention removed meanwhile is no traffic.
    const grown = [...after].reduce((sum, [log, bytes]) => sum + Math.max(0, bytes - (before.get(log) ?? bytes)), 0);
    const since = now() - hourMs;
    const copied = objects.reduce(
      (sum, { modifiedAtMs, sizeBytes }) => sum + (modifiedAtMs > since ? sizeBytes : 0),
      0,
    );
    return { primary: primary.name, mirrored: grown / seconds, checkpoints: copied / (hourMs / 1_000) };
  } finally {
    cluster.close();
  }
}
