import type { Clock } from '../../domain/clock.ts';
import type { JobConfig } from '../../domain/config.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import type { Region } from '../../regions/region.ts';
import type { KafkaStates } from '../../replication/checkpoints/kafka-states.ts';
import { pointFolder } from '../../replication/checkpoints/locations.ts';
import { decodeManifest } from '../../replication/checkpoints/manifest.ts';
import { markerLook, markersOf, resolveMarkers } from '../../replication/checkpoints/markers.ts';
import { replicateCheckpoint } from '../../replication/checkpoints/replicate.ts';
import { countBeyond } from '../../replication/topics/recount.ts';
import { standbyRemains } from '../failover/standby-remains.ts';
import type { StoredSavepoint, SwitchoverContext } from './context.ts';
import { savepointRoot } from './switchover-step.ts';

export interface JoinSavepointsParts {
  readonly jobs: readonly JobConfig[];
  readonly primary: Region;
  readonly standby: Region;
  readonly rolesEpoch: number;
  readonly clock: Clock;
  readonly parallelism: number;
}

/** More offsets than this are taken for records without looking. */
const lookAtMost = 10_000n;

/** A switchover's questions about savepoints and what was still to be read, answered by buckets and logs. */
export function joinSavepoints(
  parts: JoinSavepointsParts,
): Pick<SwitchoverContext, 'listSavepoints' | 'findCopy' | 'copySavepoint' | 'heldAtPrimary' | 'lookForRecords'> {
  const { primary, standby, rolesEpoch } = parts;
  const rootOf = (name: string) => {
    const job = parts.jobs.find((j) => j.name === name);
    if (job === undefined) throw new ArgusError('JobMissing', `no job is called ${name} in the configuration`);
    return savepointRoot(rolesEpoch, job);
  };
  return {
    listSavepoints: (job, signal) => listSavepoints(primary, job, rootOf(job), signal),
    async findCopy(savepoint, signal) {
      const key = `${pointFolder(savepoint.job, savepoint)}/manifest.json`;
      const found = await standby.objects.get(key, { signal });
      const manifest = found && decodeManifest(found.body);
      if (manifest === undefined || 'problem' in manifest) return undefined;
      // Another point of this number would be a checkpoint of the same run.
      return manifest.sourceUri === `${primary.objects.uri}/${savepoint.directory}` ? manifest : undefined;
    },
    copySavepoint: (job, savepoint, signal) => copySavepoint(parts, job, savepoint, signal),
    heldAtPrimary: (partitions, signal) => standbyRemains(standby, primary).heldPartitions(partitions, signal),
    lookForRecords: (ranges, signal) =>
      eachAtOnce(ranges, 8, async ({ topic, partition, logStartOffset, logEndOffset }) => {
        const size = logEndOffset - logStartOffset;
        if (size > lookAtMost) return { topic, partition, records: Number(size) };
        const { records } = await countBeyond(primary.brokers, topic, partition, logStartOffset, { signal });
        return { topic, partition, records: Number(records) };
      }),
  };
}

/** Below `<root>/<flink job id>/savepoint-<…>/`, those with `_metadata`, newest first. */
async function listSavepoints(
  { objects }: Region,
  job: string,
  root: string,
  signal: AbortSignal,
): Promise<readonly StoredSavepoint[]> {
  const call = { signal, delimiter: '/' } as const;
  const found: StoredSavepoint[] = [];
  for (const run of (await objects.list(`${root}/`, call)).prefixes) {
    const flinkJobId = /\/([0-9a-f]{32})\/$/.exec(run)?.[1];
    if (flinkJobId === undefined) continue;
    for (const folder of (await objects.list(run, call)).prefixes) {
      const metadata = await objects.get(`${folder}_metadata`, { signal });
      if (metadata === undefined) continue;
      const checkpointId = Number(readMetadata(metadata.body).checkpointId);
      const { modifiedAtMs } = metadata.info;
      found.push({ job, flinkJobId, checkpointId, directory: folder.slice(0, -1), completedAtMs: modifiedAtMs });
    }
  }
  return found.sort((a, b) => b.completedAtMs - a.completedAtMs || b.checkpointId - a.checkpointId);
}

async function copySavepoint(
  { primary, standby, clock, parallelism }: JoinSavepointsParts,
  job: JobConfig,
  savepoint: StoredSavepoint,
  signal: AbortSignal,
) {
  const { flinkJobId, checkpointId, directory } = savepoint;
  const look = markerLook(primary, job.consumerGroup);
  const markers = async (states: KafkaStates) => {
    const seen = await look(markersOf(states), flinkJobId, signal).catch(() => undefined);
    const splits = seen === undefined ? [] : resolveMarkers(states, seen, false);
    return seen === undefined || splits.length === 0 ? undefined : { group: seen.group, atMs: clock.now(), splits };
  };
  // A cluster of its own that is gone with the job tells nothing: then what the state holds decides.
  const settings = await primary.flink.settings(flinkJobId, { signal }).catch(() => undefined);
  const needsClaim = settings?.checkpointing?.changelog === true;
  const result = await replicateCheckpoint({
    source: primary.objects,
    target: standby.objects,
    job: job.name,
    checkpoint: { kind: 'savepoint', flinkJobId, checkpointId, directory, needsClaim },
    known: new Map(),
    now: () => clock.now(),
    resolveMarkers: markers,
    parallelism,
    signal,
  });
  if (result.kind === 'replicated') return result.manifest;
  const why = result.kind === 'refused' ? `${result.code}: ${result.message}` : `its copy is ${result.kind}`;
  throw new ArgusError('SavepointNotCopied', `savepoint ${checkpointId} of ${job.name} is not on the standby: ${why}`);
}
