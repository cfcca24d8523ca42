import { retentionRules } from '../domain/checkpoints-config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import type { Region } from '../regions/region.ts';
import { flinkJobIdOf } from '../replication/checkpoints/catalogue.ts';
import { markerLook } from '../replication/checkpoints/markers.ts';
import { sinkWatch } from '../replication/checkpoints/sink-ends.ts';
import { type CheckpointSync, createCheckpointSync } from '../replication/checkpoints/sync.ts';
import type { Log } from './log.ts';
import type { ReplicaPruner } from './prune-replica.ts';
import { every } from './supervise.ts';

export interface CheckpointLoopOptions {
  readonly jobs: Config['jobs'];
  readonly settings: Config['checkpoints'];
  readonly source: Region;
  readonly target: Region;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFailure?: () => void;
  /** Told of the syncs when they begin, so that their status can be asked. */
  readonly onStart?: (syncs: ReadonlyMap<string, CheckpointSync>) => void;
  readonly periodMs?: number;
  /** Absent: nothing is pruned. */
  readonly pruner?: ReplicaPruner;
}

/** Keeps the replica of every job up to date until the signal. A store that is away is asked again each period. */
export async function runCheckpointLoop(options: CheckpointLoopOptions, signal: AbortSignal): Promise<void> {
  const { source, target, clock, log, periodMs = 1_000 } = options;
  const rules = new Map(options.jobs.map((job) => [job.name, retentionRules(options.settings, job.checkpoints)]));
  const sinks = sinkWatch(source.brokers);
  const syncs = new Map(
    options.jobs.map((job) => [
      job.name,
      createCheckpointSync({
        job: job.name,
        prefix: job.checkpoints.prefix,
        source: source.objects,
        target: target.objects,
        clock,
        ...sinks.of(job),
        lookAtMarkers: markerLook(source.kafka, job.consumerGroup),
        keep: retentionRules(options.settings, job.checkpoints).keep,
        flinkJobId: async (s) => {
          const deadline = AbortSignal.timeout(2_000);
          const jobs = await source.flink.list({ signal: s ? AbortSignal.any([s, deadline]) : deadline });
          return flinkJobIdOf(jobs, job.name);
        },
      }),
    ]),
  );
  options.onStart?.(syncs);
  await Promise.all(
    [...syncs].map(([job, sync]) => {
      let said: string | undefined;
      let saidOfSinks: string | undefined;
      return every(
        periodMs,
        async () => {
          try {
            // One that lacks older checkpoints looks for newer ones between each two copies.
            for (let more = true; more && !signal.aborted; ) {
              const step = await sync.step({ signal });
              more = step.more;
              for (const r of step.refused)
                log.warn({ job, code: r.code }, `checkpoint ${r.checkpointId}: ${r.message}`);
              if (step.replicated) log.info({ job }, `checkpoint ${step.replicated.checkpointId} is on the replica`);
              const unseen = step.sinksUnseen;
              if (unseen !== undefined && unseen !== saidOfSinks)
                log.warn({ job }, `where its sinks ended after checkpoints can't be seen: ${unseen}`);
              if (step.replicated) saidOfSinks = unseen;
            }
            if (said !== undefined) log.info({ job }, 'the checkpoint sync goes on');
            said = undefined;
            const jobRules = rules.get(job);
            // Only after the primary's bucket was read: what is on the replica matters most while it can't be.
            if (jobRules && !signal.aborted) await options.pruner?.pruneWhenDue(job, jobRules, sync, signal);
          } catch (error) {
            if (signal.aborted) return;
            options.onFailure?.();
            const why = describeError(error);
            if (why !== said)
              log.warn({ job }, `the checkpoint sync can't go on: ${why}; it is tried each ${periodMs} ms`);
            said = why;
          }
        },
        clock,
        signal,
      );
    }),
  ).finally(() => sinks.close());
}
