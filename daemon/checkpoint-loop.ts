import { retentionRules } from '../domain/checkpoints-config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Config, JobConfig } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import type { Region } from '../regions/region.ts';
import { requireOtherBucket } from '../replication/checkpoints/other-bucket.ts';
import { sinkWatch } from '../replication/checkpoints/sink-ends.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import { jobSync, paceOf } from './job-sync.ts';
import type { Log } from './log.ts';
import type { ReplicaPruner } from './prune-replica.ts';
import { every } from './supervise.ts';
import type { ReplicaWatch } from './watch-replica.ts';

export interface CheckpointLoopOptions {
  readonly jobs: readonly JobConfig[];
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
  /** Absent: nobody tells what is wrong with the replicas. */
  readonly watch?: ReplicaWatch;
}

/** Keeps the replica of every job up to date until the signal. A store that is away is asked again each period. */
export async function runCheckpointLoop(options: CheckpointLoopOptions, signal: AbortSignal): Promise<void> {
  const { source, target, clock, log, periodMs = 1_000 } = options;
  const sinks = sinkWatch(source.brokers);
  const pace = paceOf(options.settings, clock);
  const parts = { settings: options.settings, source, target, clock, sinks, pace };
  const jobs = options.jobs.map((job) => ({
    job: job.name,
    rules: retentionRules(options.settings, job.checkpoints),
    sync: jobSync(job, parts),
  }));
  let apart: Promise<void> | undefined;
  const bucketsApart = () => {
    apart ??= requireOtherBucket(source.objects, target.objects, { signal }).catch((error: unknown) => {
      apart = undefined;
      throw error;
    });
    return apart;
  };
  options.onStart?.(new Map(jobs.map(({ job, sync }) => [job, sync])));
  await Promise.all(
    jobs.map(({ job, rules, sync }) => {
      let said: string | undefined;
      let saidOfSinks: string | undefined;
      return every(
        periodMs,
        async () => {
          try {
            await bucketsApart();
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
              // Here too: while each copy loses against Flink there is always more to do.
              if (more) await options.watch?.look(job, sync, signal);
            }
            if (said !== undefined) log.info({ job }, 'the checkpoint sync goes on');
            said = undefined;
            // Only after the primary's bucket was read: what is on the replica matters most while it can't be.
            if (!signal.aborted) await options.pruner?.pruneWhenDue(job, rules, sync, signal);
          } catch (error) {
            if (signal.aborted) return;
            options.onFailure?.();
            const why = describeError(error);
            if (why !== said)
              log.warn({ job }, `the checkpoint sync can't go on: ${why}; it is tried each ${periodMs} ms`);
            said = why;
          }
          if (!signal.aborted) await options.watch?.look(job, sync, signal);
        },
        clock,
        signal,
      );
    }),
  ).finally(() => sinks.close());
}
