import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../domain/offsets.ts';
import { GroupMembership, type Joined } from '../regions/kafka/group-membership.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Stop } from '../replication/topics/continuity.ts';
import { Mirror } from '../replication/topics/mirror.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import { partitionsText, sharePartitions } from '../replication/topics/share-partitions.ts';
import { shareThrottle } from '../replication/topics/share-throttle.ts';
import { freezeInForce } from '../state/freeze.ts';
import {
  dropShareMember,
  noteShareMember,
  readSharePlan,
  reportMemberFrozen,
  type SharePlan,
} from '../state/shared-mirror.ts';
import type { Direction } from './decide-replication.ts';
import type { FollowedReplicator, FreezeOrder } from './follow-roles.ts';
import type { Log } from './log.ts';
import { prepareMirror } from './prepare-mirror.ts';
import { regionOf } from './region-of.ts';
import type { MirrorHandle } from './replicator.ts';
import { runMirror } from './run-mirror.ts';
import { supervise, type Task } from './supervise.ts';

export interface ShareMemberParts {
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** For people: `user@host (pid n)`. */
  readonly who: string;
  readonly group: string;
  /** A lead that was seen alive: plans of older ones are not trusted. */
  readonly trustedFrom: number;
  readonly onStatus: (status: MirrorStatus) => void;
}

const planPaceMs = 1_000;

/** What a freeze asks of a member. */
type Freezing = Pick<FreezeOrder, 'epoch' | 'drainMs'>;

interface Orders {
  readonly freezing: Freezing | undefined;
  /** Aborted when a freeze comes. */
  readonly woken: AbortSignal;
}

/** One process of those who share the partitions: mirrors what its group gives it, and nothing it isn't sure to have. */
export interface ShareMember extends FollowedReplicator {
  /** Drains, stands still and says so in the state; stays a member, so that its word is seen to be everybody's. */
  onFreeze(order: FreezeOrder): Promise<void>;
}

export function shareMember(parts: ShareMemberParts): ShareMember {
  const { clock, log } = parts;
  let running: Direction | undefined;
  let task: Task | undefined;
  let freezing: Freezing | undefined;
  let wake = new AbortController();

  async function stop(): Promise<void> {
    running = undefined;
    await task?.stop();
    task = undefined;
    freezing = undefined;
  }

  return {
    get running() {
      // A member that stands still serves no roles: a thaw begins anew, as other roles do.
      return running && freezing ? { ...running, rolesEpoch: 0 } : running;
    },
    start(direction) {
      running = direction;
      const orders = () => ({ freezing, woken: wake.signal });
      task = supervise((signal) => new Share(parts, direction, orders).run(signal), { name: 'mirror', clock, log });
    },
    stop,
    async freeze() {
      throw new Error('a member confirms no freeze: it only says that it stands still');
    },
    async onFreeze({ epoch, drainMs }) {
      if (!running || freezing?.epoch === epoch) return;
      freezing = { epoch, drainMs };
      wake.abort();
      wake = new AbortController();
    },
  };
}

/** The part that a member has now, and the mirror that serves it. */
interface Part {
  readonly joined: Joined;
  readonly handle: MirrorHandle;
}

/** From joining the group to leaving it. */
class Share {
  readonly #parts: ShareMemberParts;
  readonly #direction: Direction;
  readonly #orders: () => Orders;
  readonly #membership: GroupMembership;
  #plan: SharePlan = { leaseEpoch: 1, partitions: [], held: {} };
  #owned: readonly TopicPartition[] = [];
  #noted: string | undefined;

  constructor(parts: ShareMemberParts, direction: Direction, orders: () => Orders) {
    this.#parts = parts;
    this.#direction = direction;
    this.#orders = orders;
    const clientId = `argus-mirror-${parts.who.replace(/[^A-Za-z0-9._@]+/g, '-').replace(/-$/, '')}`;
    const { brokers } = regionOf(parts.regions, direction.target);
    this.#membership = new GroupMembership(brokers, { group: parts.group, clientId, clock: parts.clock });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { state, clock, log, who } = this.#parts;
    const { rolesEpoch } = this.#direction;
    try {
      while (!(await this.#lookAtPlan(signal))) await clock.sleep(planPaceMs, signal);
      while (!signal.aborted) {
        const joined = await this.#membership.join(
          this.#owned,
          (m) => sharePartitions(this.#plan.partitions, m),
          signal,
        );
        this.#owned = joined.partitions;
        if (this.#noted !== joined.memberId) {
          await this.#dropNote();
          await noteShareMember(state, rolesEpoch, { id: joined.memberId, who, atMs: clock.now() }, { signal });
          this.#noted = joined.memberId;
        }
        const names = partitionsText(joined.partitions);
        log.info(
          { generation: joined.generation },
          `shares the partitions: this process has ${names || 'none for now'}`,
        );
        await this.#serve(joined, signal);
      }
    } finally {
      await this.#membership.leave();
      this.#membership.close();
      // All that it sent was answered, or its note would have been given up before.
      await this.#dropNote().catch((error) => log.debug({}, `the member's note stays: ${describeError(error)}`));
    }
  }

  /** Mirrors its part until the group agrees anew; then nothing of it is on its way any more. */
  async #serve(joined: Joined, signal: AbortSignal): Promise<void> {
    const { state } = this.#parts;
    const { rolesEpoch } = this.#direction;
    // Asked behind the agreement: whoever begins under one that was made after the freeze has seen the freeze.
    const asked = await freezeInForce(state, rolesEpoch, { signal });
    const frozen = this.#orders().freezing ?? asked;
    const handle = await this.#begin(joined, frozen === undefined, signal);
    const part = { joined, handle };
    try {
      if (!frozen && (await this.#follow(part, signal)) === 'gone') return;
      const freezing = frozen ?? this.#orders().freezing;
      if (!freezing) return;
      await this.#standStill(part, freezing, signal);
    } finally {
      await this.#layDown(handle);
    }
  }

  /** The mirror of this part; one that may not run begins nothing and is only asked where the standby ends. */
  async #begin(joined: Joined, runs: boolean, signal: AbortSignal): Promise<MirrorHandle> {
    const { regions, state, clock, onStatus } = this.#parts;
    const [source, target] = [regionOf(regions, this.#direction.source), regionOf(regions, this.#direction.target)];
    const following = this.#following(joined.partitions);
    const settings = await prepareMirror({ state, source, target, following }, this.#direction, signal);
    const mayWrite = () => runs && this.#membership.remainingMs() > 0;
    if (runs) return runMirror(settings, { clock, onStatus, mayWrite });
    const idle = new Mirror({ ...settings, clock, mayWrite });
    return {
      ended: new Promise(() => undefined),
      follow: () => undefined,
      freeze: () => idle.freeze(0),
      stop: async () => undefined,
    };
  }

  /** Keeps the seat and does what the plan says. `gone`: the part may go to others; `freeze`: a freeze is asked for. */
  async #follow({ joined, handle }: Part, signal: AbortSignal): Promise<'gone' | 'freeze'> {
    const { clock, log } = this.#parts;
    const { freezing, woken } = this.#orders();
    if (freezing) return 'freeze';
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, woken, ending.signal]);
    const watch = async () => {
      for (let said = ''; !ended.aborted; ) {
        await clock.sleep(planPaceMs, ended);
        try {
          const before = this.#plan;
          await this.#lookAtPlan(ended);
          if (before === this.#plan) continue;
          handle.follow(this.#following(joined.partitions));
          if (joined.leads && !samePartitions(before, this.#plan)) return;
        } catch (error) {
          if (ended.aborted) return;
          const why = describeError(error);
          if (why !== said) log.warn({}, `the plan can't be read: ${why}; the mirror goes on as it is`);
          said = why;
        }
      }
    };
    const crashed = handle.ended.catch((error) => log.warn({}, `the mirror stopped: ${describeError(error)}`));
    try {
      await Promise.race([this.#membership.stay(ended), watch(), crashed]).catch((error) => {
        if (!ended.aborted) throw error;
      });
    } finally {
      ending.abort();
    }
    return !signal.aborted && this.#orders().freezing ? 'freeze' : 'gone';
  }

  /** Drains, stops, says so, and stays a member until the group agrees anew or the process is told otherwise. */
  async #standStill({ joined, handle }: Part, { epoch, drainMs }: Freezing, signal: AbortSignal): Promise<void> {
    const { state, log } = this.#parts;
    const { memberId, generation } = joined;
    const staying = this.#membership.stay(signal);
    staying.catch(() => undefined); // Read below.
    try {
      const { drained, endOffsets, openTransactions: open = [] } = await handle.freeze(drainMs);
      const seat = { epoch, memberId, generation };
      const report = {
        drained,
        endOffsets: [...endOffsets],
        ...(open.length > 0 && { openTransactions: [...open] }),
      };
      await reportMemberFrozen(state, this.#direction.rolesEpoch, seat, report, { signal });
      log.info({ drained, generation }, 'this process stands still for the freeze');
    } catch (error) {
      signal.throwIfAborted();
      log.error({}, `this process can't prove that it stands still: ${describeError(error)}`);
    }
    await staying;
  }

  /**
   * Ends the mirror. Where batches are left of which nobody knows whether they will still be appended, the member goes
   * without a word, and its note stays: a freeze that isn't drained is not believed then.
   */
  async #layDown(handle: MirrorHandle): Promise<void> {
    const { log } = this.#parts;
    let clean = true;
    try {
      await handle.freeze(0);
    } catch (error) {
      clean = false;
      log.warn({}, `what was sent last is not known to have arrived: ${describeError(error)}`);
    }
    await handle.stop();
    if (clean) return;
    this.#noted = undefined;
    await this.#membership.leave();
  }

  async #dropNote(): Promise<void> {
    const noted = this.#noted;
    this.#noted = undefined;
    const call = { signal: AbortSignal.timeout(3_000) };
    if (noted !== undefined) await dropShareMember(this.#parts.state, this.#direction.rolesEpoch, noted, call);
  }

  async #lookAtPlan(signal: AbortSignal): Promise<boolean> {
    const { state, trustedFrom } = this.#parts;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
    const plan = await readSharePlan(state, this.#direction.rolesEpoch, call);
    if (!plan || plan.leaseEpoch < trustedFrom || plan.leaseEpoch < this.#plan.leaseEpoch) return false;
    if (!isDeepStrictEqual(plan, this.#plan)) this.#plan = plan;
    return true;
  }

  #following(partitions: readonly TopicPartition[]): Following {
    const { held, throttle, partitions: all } = this.#plan;
    return {
      partitions,
      held: held as Readonly<Record<string, Stop>>,
      ...(throttle ? { throttle: shareThrottle(throttle, all, partitions) } : {}),
    };
  }
}

function samePartitions(a: SharePlan, b: SharePlan): boolean {
  const keys = (plan: SharePlan) => plan.partitions.map(partitionKey).sort();
  return isDeepStrictEqual(keys(a), keys(b));
}
