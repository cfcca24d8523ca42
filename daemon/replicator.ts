import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { type PartitionOffset, partitionKey } from '../domain/offsets.ts';
import type { ToldTransaction } from '../replication/topics/open-transactions.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import type { Direction } from './decide-replication.ts';

import type { Log } from './log.ts';
import { supervise, type Task } from './supervise.ts';

/** What a mirror says when it has stopped for good: nothing of it is on its way to the standby any more. */
export interface Stopped {
  /** The standby had reached the primary's end. */
  readonly drained: boolean;
  readonly endOffsets: readonly PartitionOffset[];
  /** Transactions that it leaves open on the standby, as far as it knows whose they are. */
  readonly openTransactions?: readonly ToldTransaction[];
}

/** A mirror at work, in this process or in one of its own. */
export interface MirrorHandle {
  /** Settles when it is no longer at work, whatever the reason; rejects with why. */
  readonly ended: Promise<void>;
  /** Mirrors these partitions from now on. */
  follow(wanted: Following): void;
  /** Drains, stops and reads where the standby ends. Rejects when that can't be vouched for. */
  freeze(drainMs: number): Promise<Stopped>;
  /** Resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

export interface ReplicatorParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a mirror. Absent: this process does not mirror. */
  readonly openMirror?: (direction: Direction, signal: AbortSignal) => Promise<MirrorHandle>;
  /** Loops that run beside the mirror (checkpoints, groups) until their signal; each is restarted when it fails. */
  readonly loops: readonly { readonly name: string; run(direction: Direction, signal: AbortSignal): Promise<void> }[];
  /** Where the standby's logs end now. */
  readonly standbyEnds: (direction: Direction) => Promise<readonly PartitionOffset[]>;
}

/** Everything that flows from the primary to the standby, started and stopped as one. */
export interface Replicator {
  readonly running: Direction | undefined;
  /** Returns at once: a primary that is silent delays nothing here. */
  start(direction: Direction): void;
  /**
   * Stops all of it. `undefined`: it has stopped, but what was last under way can't be vouched for; the failover fences
   * the mirror's producer then.
   */
  freeze(direction: Direction, drainMs: number): Promise<Stopped | undefined>;
  stop(): Promise<void>;
}

/** A crashed mirror's last requests may still be in the broker's hands for this long. */
const crashSettleMs = 5_000;
const loopStopMs = 2_000;

export function replicator(parts: ReplicatorParts): Replicator {
  const { clock, log } = parts;
  let running: Direction | undefined;
  let tasks: Task[] = [];
  let mirror: MirrorHandle | undefined;
  let crashedAt: number | undefined;
  let freezing = false;

  async function keepMirror(direction: Direction, signal: AbortSignal): Promise<void> {
    if (freezing) return;
    const handle = await (parts.openMirror as NonNullable<typeof parts.openMirror>)(direction, signal);
    if (signal.aborted) return handle.stop();
    mirror = handle;
    const onAbort = () => void handle.stop();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await handle.ended;
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (!freezing && !signal.aborted) crashedAt = clock.monotonic();
      if (mirror === handle) mirror = undefined;
    }
  }

  async function stop(): Promise<void> {
    const ending = tasks;
    tasks = [];
    running = undefined;
    await Promise.all(ending.map((t) => t.stop()));
    mirror = undefined;
  }

  return {
    get running() {
      return running;
    },
    start(direction) {
      running = direction;
      freezing = false;
      if (parts.openMirror) {
        tasks.push(supervise((signal) => keepMirror(direction, signal), { name: 'mirror', clock, log }));
      }
      for (const loop of parts.loops) {
        tasks.push(supervise((signal) => loop.run(direction, signal), { name: loop.name, clock, log }));
      }
    },
    async freeze(direction, drainMs) {
      freezing = true;
      const mirrorTask = parts.openMirror ? tasks[0] : undefined;
      const others = tasks.filter((t) => t !== mirrorTask);
      const handle = mirror;
      const recentCrash = crashedAt !== undefined && clock.monotonic() - crashedAt < crashSettleMs;
      // What copies files may hang in a dead region: a file more or less on the replica breaks nothing, so it isn't awaited for ever.
      const others$ = Promise.race([Promise.all(others.map((t) => t.stop())), clock.sleep(loopStopMs)]);
      // What a mirror that drains must reach the end of must not grow by Argus' own hand: the heartbeat stops first.
      if (drainMs > 0) await others$;
      let stopped: Stopped | undefined;
      try {
        if (handle) stopped = await handle.freeze(drainMs);
      } catch (error) {
        log.error({}, `the mirror could not confirm that it stopped: ${describeError(error)}`);
      }
      await Promise.all([others$, mirrorTask?.stop()]);
      tasks = [];
      running = undefined;
      mirror = undefined;
      // Whatever a crashed mirror left on its way is older than the end that a drained one has reached.
      if (recentCrash && !stopped?.drained) return undefined;
      if (handle && !stopped) return undefined;
      try {
        // Without a mirror at work, and for topics that it does not mirror, what the standby holds now is all there is.
        const ends = await parts.standbyEnds(direction);
        const told = stopped?.endOffsets ?? [];
        const known = new Set(told.map(partitionKey));
        const others = ends.filter((e) => !known.has(partitionKey(e)));
        return { drained: false, ...stopped, endOffsets: [...told, ...others] };
      } catch (error) {
        log.error({}, `the standby's log ends can't be read: ${describeError(error)}`);
        return undefined;
      }
    },
    stop,
  };
}
