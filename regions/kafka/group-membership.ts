import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { missingRight, missingRightHint } from './access.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import {
  type Assignment,
  type DescribedGroup,
  describeGroupRequest,
  encodeAssignment,
  encodeSubscription,
  type GroupSeat,
  heartbeatRequest,
  joinGroupRequest,
  leaveGroupRequest,
  readAssignment,
  readSubscription,
  syncGroupRequest,
} from './group-calls.ts';
import { findGroupCoordinatorRequest } from './group-offsets.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import type { KafkaEndpoint } from './kafka-security.ts';
import type { BrokerAddress } from './metadata.ts';

/**
 * What a coordinator's answer means to a member. Pure.
 *
 * `again`: the group agrees anew, take part. `anew`: it knows this member no more, come as another. `named`: come again
 * under the id of the answer. `elsewhere`: another broker coordinates, or soon will. `refused`: a person has to act.
 */
export type GroupVerdict = 'agreed' | 'again' | 'anew' | 'named' | 'elsewhere' | 'refused';

/** Source: Kafka protocol guide, "Error Codes"; KIP-394 for `MEMBER_ID_REQUIRED`. */
export function judgeGroupAnswer(code: number): GroupVerdict {
  switch (code) {
    case kafkaError.none:
      return 'agreed';
    case kafkaError.illegalGeneration:
    case kafkaError.rebalanceInProgress:
      return 'again';
    case kafkaError.unknownMemberId:
      return 'anew';
    case kafkaError.memberIdRequired:
      return 'named';
    default:
      return isTransient(code) ? 'elsewhere' : 'refused';
  }
}

/** A member of whom nothing is heard for so long is out. The shortest that brokers allow unless they are set otherwise. */
const sessionMs = 6_000;
/** How long the others wait for a member to lay down what it has. */
const rebalanceMs = 10_000;
const heartbeatMs = 1_000;
const retryMs = 200;
/** Before the broker's deadline: what was sent last must have arrived by then. */
const marginMs = 600;

export interface MembershipOptions {
  readonly group: string;
  /** Shown by Kafka's tools; part of the member's id. */
  readonly clientId: string;
  readonly clock: Clock;
}

/** How the leader divides. */
export type Divide = (
  members: readonly { readonly id: string; readonly owned: readonly TopicPartition[] }[],
) => ReadonlyMap<string, readonly TopicPartition[]>;

/** What a member got in one generation of its group. */
export interface Joined extends Assignment {
  readonly memberId: string;
  readonly leads: boolean;
}

/**
 * One process' seat in a consumer group, by the classic protocol without any fetching (join, sync, heartbeat, leave).
 * It is worth what `remainingMs` says at this instant, by this process' own monotonic clock: until then no other
 * member can have been given what this one has.
 */
export class GroupMembership {
  readonly #cluster: KafkaCluster;
  readonly #options: MembershipOptions;
  #coordinator: BrokerAddress | undefined;
  #memberId = '';
  #generation = -1;
  /** When the last request that the coordinator agreed to was sent. */
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(endpoint: KafkaEndpoint, options: MembershipOptions) {
    this.#options = options;
    const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_000 };
    this.#cluster = new KafkaCluster({ ...endpoint, ...timeouts, clientId: options.clientId });
  }

  /** How long this member surely has its part without another heartbeat. Not positive: another may have it. */
  remainingMs(): number {
    return this.#heardAt + Math.min(sessionMs, rebalanceMs) - marginMs - this.#options.clock.monotonic();
  }

  /**
   * Takes part in the group's next agreement, which ends when every member has come or is out. The caller writes
   * nothing of what it had meanwhile. `KafkaDenied`, `KafkaFailed`: a person has to act; `KafkaUnreachable`: later.
   */
  async join(owned: readonly TopicPartition[], divide: Divide, signal: AbortSignal): Promise<Joined> {
    const { group, clock } = this.#options;
    this.#heardAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      signal.throwIfAborted();
      const join = { group, memberId: this.#memberId, sessionMs, rebalanceMs, metadata: encodeSubscription(owned) };
      const joined = await this.#ask(joinGroupRequest(join), signal, rebalanceMs + 5_000);
      const verdict = this.#judge('JoinGroup', joined.errorCode);
      if (verdict === 'named' || verdict === 'agreed') this.#memberId = joined.memberId;
      if (verdict === 'named') continue;
      if (verdict === 'agreed') {
        const { generation, leader, memberId, members } = joined;
        this.#generation = generation;
        const parts = new Map<string, Buffer>();
        if (leader === memberId) {
          const who = members.map((m) => ({ id: m.memberId, owned: readSubscription(m.metadata) }));
          for (const [id, partitions] of divide(who)) parts.set(id, encodeAssignment({ generation, partitions }));
        }
        const sentAt = clock.monotonic();
        const synced = await this.#ask(syncGroupRequest(this.#seat, parts), signal, rebalanceMs + 5_000);
        if (this.#judge('SyncGroup', synced.errorCode) === 'agreed') {
          const partitions = readAssignment(synced.assignment)?.partitions ?? [];
          this.#heardAt = sentAt;
          return { memberId, generation, partitions, leads: leader === memberId };
        }
      }
      await clock.sleep(retryMs, signal);
    }
  }

  /**
   * Keeps the seat. `again`: the group agrees anew; `lost`: this member is out, or can't know whether it is. Rejects
   * with the signal's reason.
   */
  async stay(signal: AbortSignal): Promise<'again' | 'lost'> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(heartbeatMs, signal);
      const sentAt = clock.monotonic();
      try {
        const verdict = this.#judge('Heartbeat', await this.#ask(heartbeatRequest(this.#seat), signal, 2_500));
        if (verdict === 'agreed') this.#heardAt = sentAt;
        if (verdict === 'again') return 'again';
        if (verdict === 'anew') {
          this.#heardAt = Number.NEGATIVE_INFINITY;
          return 'lost';
        }
      } catch (error) {
        signal.throwIfAborted();
        // Not heard: the deadline stands, and the next round tries again.
        if (!(error instanceof ArgusError) || error.code !== 'KafkaUnreachable') throw error;
      }
      if (this.remainingMs() <= 0) return 'lost';
    }
  }

  /** Leaves, so that the others needn't wait for the session's end. No error when that can't be said. Joins as another. */
  async leave(): Promise<void> {
    const { group } = this.#options;
    const memberId = this.#memberId;
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#memberId = '';
    if (memberId === '') return;
    try {
      await this.#ask(leaveGroupRequest({ group, memberId }), AbortSignal.timeout(2_000), 2_000);
    } catch {
      // The others find out when the session has ended.
    }
  }

  close(): void {
    this.#cluster.close();
  }

  get #seat(): GroupSeat {
    return { group: this.#options.group, generation: this.#generation, memberId: this.#memberId };
  }

  async #ask<T>(request: KafkaRequest<T>, signal: AbortSignal, timeoutMs: number): Promise<T> {
    this.#coordinator ??= await findCoordinator(this.#cluster, this.#options, signal);
    try {
      return await this.#cluster.sendTo(this.#coordinator, 'group', request, { signal, timeoutMs });
    } catch (error) {
      this.#coordinator = undefined;
      throw error;
    }
  }

  #judge(call: string, code: number): GroupVerdict {
    const verdict = judgeGroupAnswer(code);
    if (verdict === 'refused') throw groupRefused(this.#cluster.name, call, this.#options.group, code);
    if (verdict === 'elsewhere') this.#coordinator = undefined;
    if (verdict === 'anew') this.#memberId = '';
    return verdict;
  }
}

/** The group as its coordinator sees it now. */
export async function describeGroup(
  cluster: KafkaCluster,
  group: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<DescribedGroup> {
  for (;;) {
    const address = await findCoordinator(cluster, { group, clock: options.clock }, options.signal);
    const answer = await cluster.sendTo(address, 'group', describeGroupRequest(group), { signal: options.signal });
    if (answer.errorCode === kafkaError.none) return answer;
    if (!isTransient(answer.errorCode)) throw groupRefused(cluster.name, 'DescribeGroups', group, answer.errorCode);
    await options.clock.sleep(retryMs, options.signal);
  }
}

async function findCoordinator(
  cluster: KafkaCluster,
  { group, clock }: Pick<MembershipOptions, 'group' | 'clock'>,
  signal: AbortSignal,
): Promise<BrokerAddress> {
  for (;;) {
    const found = await cluster.ask(() => findGroupCoordinatorRequest(group), signal);
    if (found.errorCode === kafkaError.none) return found.address;
    if (!isTransient(found.errorCode)) throw groupRefused(cluster.name, 'FindCoordinator', group, found.errorCode);
    await clock.sleep(retryMs, signal);
  }
}

function groupRefused(region: string, call: string, group: string, code: number): ArgusError {
  const message = `${region}: ${call} of group "${group}" answered ${errorName(code)}`;
  if (!isDenied(code)) {
    return new ArgusError('KafkaFailed', message, {
      hint: 'the group must be the mirror’s own: `mirror.share.group`',
    });
  }
  const right = missingRight(call, code, { group });
  return new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
}
