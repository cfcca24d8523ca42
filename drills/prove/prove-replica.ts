import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { Region } from '../../regions/region.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import type { Json } from '../../state/journal.ts';
import type { DrillCause } from '../drill-report.ts';
import { type ProvedMirror, proveMirror } from './prove-mirror.ts';
import { provePoints } from './prove-point.ts';
import { proveSources } from './prove-sources.ts';

type Side = Pick<Region, 'name' | 'brokers' | 'kafka' | 'objects'>;

export interface ProveReplicaOptions {
  readonly primary: Side;
  readonly standby: Side;
  /** Argus mirrors the topics itself: offsets are the same on both sides. */
  readonly ownMirror: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** What was looked at, and what is wrong with it. */
export interface ProvedReplica {
  /** Empty: nothing is wrong, as far as the evidence says that it could be looked at. */
  readonly causes: readonly DrillCause[];
  readonly evidence: Json;
  /** Why what the jobs will read was not held against the primary's log, or not all of it. */
  readonly mirrorNotCompared?: string;
}

/** So many points beside a job's own are looked at, as far as their manifests go. */
const NEIGHBOURS = 20;

/**
 * Proves what jobs would be restored from: every byte of the points' files, the source offsets in their metadata, and the
 * records from there on. What of the primary doesn't answer is said in the evidence, and is no cause. Errors of the
 * standby's store, and its brokers' refusals, are thrown.
 */
export async function proveReplica(
  points: readonly CheckpointManifest[],
  options: ProveReplicaOptions,
): Promise<ProvedReplica> {
  const { primary, standby, signal, progress } = options;
  progress(`reading every byte of ${points.map(({ job, checkpointId }) => `${job}-${checkpointId}`).join(', ')}`);
  const files = await provePoints(standby.objects, points, { signal });
  // A point's offsets are in its metadata and in the files that this names: of damaged ones nothing can be told.
  const readable = points.filter(({ job }) => !files.causes.some((cause) => cause.job === job));
  const sources = await eachAtOnce(readable, 4, async (point) => {
    const { points: others } = await listReplica(standby.objects, point.job, { limit: NEIGHBOURS, signal });
    const manifests = others.map(({ manifest }) => manifest);
    return { job: point.job, ...(await proveSources(standby.objects, point, manifests, primary.objects, signal)) };
  });
  progress(`comparing what ${standby.name} will read with ${primary.name}`);
  const mirror = await mirrorOf(points, options);
  return {
    causes: [...files.causes, ...sources.flatMap(({ causes }) => causes), ...mirror.causes],
    ...(mirror.kind === 'compared' ? {} : { mirrorNotCompared: mirror.why }),
    evidence: {
      files: files.files,
      bytes: files.bytes,
      unprovenFiles: files.unprovenFiles,
      sources: sources.map(({ job, partitions, withPrimary, why }) => ({
        job,
        partitions,
        withPrimary,
        ...(why === undefined ? {} : { why }),
      })),
      mirror:
        mirror.kind === 'compared'
          ? {
              compared: true,
              partitions: mirror.partitions,
              records: mirror.records.toString(),
              bytes: mirror.bytes.toString(),
            }
          : { compared: false, why: mirror.why },
    },
  };
}

async function mirrorOf(
  points: readonly CheckpointManifest[],
  { primary, standby, ownMirror, clock, signal }: ProveReplicaOptions,
): Promise<ProvedMirror> {
  if (!ownMirror) {
    return { kind: 'not-compared', why: "the copy is MirrorMaker's, which has offsets of its own", causes: [] };
  }
  const topics = new Set(points.flatMap(({ sourceOffsets }) => sourceOffsets.map(({ topic }) => topic)));
  const compacted = new Set<string>();
  for (const topic of topics) {
    const configs = await standby.kafka.topicConfigs(topic, { signal });
    if (configs?.get('cleanup.policy')?.includes('compact')) compacted.add(topic);
  }
  return proveMirror({ primary: primary.brokers, standby: standby.brokers, points, compacted, clock, signal });
}
