import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { bytesToRemove, type RetentionRules } from '../replication/checkpoints/retention.ts';
import { heldPoints } from '../replication/checkpoints/retention-holds.ts';
import { applyRetention, gatherRetention } from '../replication/checkpoints/retention-prune.ts';
import type { CheckpointSync } from '../replication/checkpoints/sync.ts';
import { withReplicaRight } from './checkpoint-lease.ts';
import type { Log } from './log.ts';

export interface PruneOptions {
  readonly state: ObjectStore;
  /** The region whose bucket holds the replica. */
  readonly target: Pick<Region, 'objects' | 'flink'>;
  readonly clock: Clock;
  readonly log: Log;
  /** `user@host` and process, for people. */
  readonly holder: string;
  readonly periodMs?: number;
}

/** Prunes the replicas of a daemon's jobs, one at a time. */
export interface ReplicaPruner {
  /**
   * Prunes the job's replica when its time has come. To be called between two steps of its sync, never during one: the
   * sync forgets what it knew of the replica before anything is deleted. What goes wrong is logged, never thrown.
   */
  pruneWhenDue(job: string, rules: RetentionRules, sync: CheckpointSync, signal: AbortSignal): Promise<void>;
}

const PERIOD_MS = 300_000;
/** The first time comes sooner, so that a daemon that is restarted often prunes as well. */
const FIRST_MS = 30_000;
/** So long it is believed which points are held. While this process replicates, no failover chooses any. */
const HELD_MS = 10_000;

export function replicaPruner(options: PruneOptions): ReplicaPruner {
  const { state, target, clock, log, holder, periodMs = PERIOD_MS } = options;
  const dueAt = new Map<string, number>();
  const said = new Map<string, string>();
  let turn: Promise<void> = Promise.resolve();
  let lastHeld: { readonly atMs: number; readonly folders: ReadonlySet<string> } | undefined;
  const firstAt = clock.monotonic() + Math.min(FIRST_MS, periodMs);

  const say = (job: string, text: string) => {
    if (said.get(job) !== text) log.warn({ job }, text);
    said.set(job, text);
  };

  /** The jobs of a round come one after the other: the journal and Flink are asked once for all of them. */
  async function heldNow(call: { readonly signal: AbortSignal }): Promise<ReadonlySet<string>> {
    if (lastHeld === undefined || clock.monotonic() - lastHeld.atMs > HELD_MS) {
      const atMs = clock.monotonic();
      lastHeld = { atMs, folders: await heldPoints(state, target, call) };
    }
    return lastHeld.folders;
  }

  async function prune(job: string, rules: RetentionRules, sync: CheckpointSync, signal: AbortSignal): Promise<void> {
    try {
      const answer = await withReplicaRight({ state, clock, holder }, 'retention', signal, async (right) => {
        const call = { signal: right.signal };
        const held = await heldNow(call);
        const plan = await gatherRetention(target.objects, job, rules, held, 'writeClock', call);
        if (plan.blocked) return say(job, `nothing is pruned on the replica: ${plan.blocked.message}`);
        said.delete(job);
        const { removed, files, orphans } = plan;
        if (removed.length + files.length + orphans.length === 0) return;
        sync.forget(removed.map((p) => p.folder));
        await applyRetention(target.objects, plan, { ...call, check: right.check });
        const what = `${removed.length} checkpoints, ${files.length} files, ${orphans.length} orphans`;
        log.info(
          { job },
          `pruned on the replica: ${what}, ${bytesToRemove(plan)} bytes; ${plan.kept.length} checkpoints stay`,
        );
      });
      if (answer.kind === 'held')
        say(job, `nothing is pruned while ${answer.by.holder} is at it (${answer.by.purpose})`);
    } catch (error) {
      if (!signal.aborted) say(job, `the replica can't be pruned: ${describeError(error)}; it is tried again`);
    }
  }

  return {
    async pruneWhenDue(job, rules, sync, signal) {
      if (clock.monotonic() < (dueAt.get(job) ?? firstAt)) return;
      const mine = turn.then(() => prune(job, rules, sync, signal));
      turn = mine;
      await mine;
      dueAt.set(job, clock.monotonic() + periodMs);
    },
  };
}
