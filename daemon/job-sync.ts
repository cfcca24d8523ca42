import { retentionRules } from '../domain/checkpoints-config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Config, JobConfig } from '../domain/config.ts';
import type { Region } from '../regions/region.ts';
import { flinkJobIdOf } from '../replication/checkpoints/catalogue.ts';
import { type CopyPace, copyPace } from '../replication/checkpoints/copy-pace.ts';
import { markerLook } from '../replication/checkpoints/markers.ts';
import type { sinkWatch } from '../replication/checkpoints/sink-ends.ts';
import { type CheckpointSync, createCheckpointSync } from '../replication/checkpoints/sync.ts';
import { toldSavepoints } from '../replication/checkpoints/told-savepoints.ts';

/** The sync of one configured job, from one region to the other. */
export function jobSync(
  job: JobConfig,
  parts: {
    readonly settings: Config['checkpoints'];
    readonly source: Region;
    readonly target: Region;
    readonly clock: Clock;
    readonly sinks: ReturnType<typeof sinkWatch>;
    /** Shared by all jobs of the process. */
    readonly pace: CopyPace | undefined;
  },
): CheckpointSync {
  const { settings, source, target, clock, sinks, pace } = parts;
  return createCheckpointSync({
    job: job.name,
    prefix: job.checkpoints.prefix,
    source: source.objects,
    target: target.objects,
    clock,
    pace,
    parallelism: settings.parallelism,
    ...sinks.of(job),
    lookAtMarkers: markerLook(source, job.consumerGroup),
    keep: retentionRules(settings, job.checkpoints).keep,
    ...(job.checkpoints.savepoints === undefined
      ? {}
      : { savepoints: toldSavepoints(source.flink, source.objects.uri, job.checkpoints.savepoints) }),
    flinkJobId: async (s) => {
      const deadline = AbortSignal.timeout(2_000);
      const jobs = await source.flink.list({ signal: s ? AbortSignal.any([s, deadline]) : deadline });
      return flinkJobIdOf(jobs, job.name);
    },
  });
}

/** What `checkpoints.bandwidth` allows, for all copies of the process together. */
export function paceOf(settings: Config['checkpoints'], clock: Clock): CopyPace | undefined {
  return settings.bandwidth === undefined ? undefined : copyPace(settings.bandwidth, clock);
}
