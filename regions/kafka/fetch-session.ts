import type { TopicPartition } from '../../domain/offsets.ts';
import { type FetchAnswer, type FetchLimits, type FetchPosition, sessionFetchRequest } from './fetch.ts';
import type { KafkaRequest } from './kafka-connection.ts';

/** A partition and what is wanted of it next. Its owner changes it in place between two requests. */
export interface FetchSlot extends TopicPartition {
  readonly leaderEpoch: number;
  wanted: boolean;
  offset: bigint;
  maxBytes: number;
  /** What the broker's session holds of it; undefined while it holds nothing. */
  told: { readonly offset: bigint; readonly maxBytes: number } | undefined;
}

/** A slot of which nothing is wanted yet. */
export function newFetchSlot({ topic, partition }: TopicPartition, leaderEpoch: number): FetchSlot {
  return { topic, partition, leaderEpoch, wanted: false, offset: 0n, maxBytes: 0, told: undefined };
}

const lastEpoch = 2 ** 31 - 1;

/**
 * One fetch session with one broker (KIP-227): after the first request only what has changed is named, and only
 * partitions that have something new are answered, so that thousands of idle ones cost nothing. A broker that keeps no
 * session, or has lost it, is asked in full. One request is under way at a time.
 */
export class FetchSession {
  readonly #slots: readonly FetchSlot[];
  #id = 0;
  #epoch = 0;
  #turn = 0;

  constructor(slots: readonly FetchSlot[]) {
    this.#slots = slots;
  }

  /** The next request, by what the slots say now. */
  next(limits: FetchLimits): KafkaRequest<FetchAnswer> {
    const positions: FetchPosition[] = [];
    const forgotten: FetchSlot[] = [];
    if (this.#id === 0) for (const slot of this.#slots) slot.told = undefined;
    // Without a session a broker fills its answer in the order of the request, and only the first batch comes whole
    // when it is large. In one it sees to the turns itself: what was answered goes to the end of its list.
    const from = this.#id === 0 ? this.#turn++ % Math.max(1, this.#slots.length) : 0;
    for (let i = 0; i < this.#slots.length; i++) {
      const slot = this.#slots[(from + i) % this.#slots.length] as FetchSlot;
      const { told, offset, maxBytes } = slot;
      if (slot.wanted) {
        if (told && told.offset === offset && told.maxBytes === maxBytes) continue;
        slot.told = { offset, maxBytes };
        positions.push(slot);
      } else if (told) {
        slot.told = undefined;
        forgotten.push(slot);
      }
    }
    return sessionFetchRequest({ id: this.#id, epoch: this.#epoch, forgotten }, positions, limits);
  }

  /** Takes note of the answer. False: the broker has lost the session, and the next request is a full one. */
  take({ errorCode, sessionId }: Pick<FetchAnswer, 'errorCode' | 'sessionId'>): boolean {
    if (errorCode !== 0) {
      this.#id = 0;
      this.#epoch = 0;
      return false;
    }
    this.#id = sessionId;
    this.#epoch = sessionId === 0 ? 0 : this.#epoch === lastEpoch ? 1 : this.#epoch + 1;
    return true;
  }
}
