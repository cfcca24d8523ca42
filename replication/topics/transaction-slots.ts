import { transactionalIdOf } from '../../regions/kafka/mirror-transactions.ts';
import { type BatchProducer, markerOutcome, type RecordBatch } from '../../regions/kafka/record-batch.ts';
import type { TransactionOutcome } from '../../regions/kafka/transactions.ts';
import type { Stop } from './continuity.ts';
import type { PartitionState } from './partition-state.ts';

/**
 * One transactional id of the mirror, for one partition. As many are used as transactions are open in the partition
 * at a time: an id is free again when its transaction has ended.
 */
export interface Slot {
  readonly transactionalId: string;
  /** Undefined until this session has made sure of it. */
  producer: BatchProducer | undefined;
  nextSequence: number;
  /** After which the standby's coordinator aborts a transaction on its own. */
  timeoutMs: number;
  /** Its transaction was begun by an earlier session, of which requests may still come in. */
  takenUp: boolean;
  /**
   * Its transaction is open in the standby's log under this producer id, though its coordinator takes it for ended: it
   * goes on under a new epoch.
   */
  orphan: bigint | undefined;
  /** This session has begun its transaction at the coordinator. */
  begun: boolean;
  /** It is being begun: nothing else may use it. */
  preparing: boolean;
  /** When its last transaction was ended, monotonic. */
  endedAt: number;
  open: OpenTransaction | undefined;
}

export interface OpenTransaction {
  /** Undefined while it waits for its first record, as a mirror that was killed leaves it; and where it fills a hole. */
  readonly sourceProducerId: bigint | undefined;
  /** Where it begins, on both sides. */
  readonly firstOffset: bigint;
  readonly sinceMs: number;
}

/** An id that nothing is known of yet. */
export function newSlot(transactionalId: string): Slot {
  const unused = { producer: undefined, nextSequence: 0, timeoutMs: 0, takenUp: false, orphan: undefined };
  const idle = { begun: false, preparing: false, endedAt: Number.NEGATIVE_INFINITY, open: undefined };
  return { transactionalId, ...unused, ...idle };
}

/** So far a queue is looked through for a transaction that begins. */
const lookedAhead = 64;

/**
 * Whether a transaction begins in what is queued, and no slot waits for it. Beginning it early costs the partition no
 * time; the batch that needs it is in the source's log, so the next session would use it if this one ends before.
 */
export function needsSlotAhead({ queue, slots }: PartitionState): boolean {
  // Most partitions never have transactions: the first one is begun when it comes.
  if (slots.length === 0) return false;
  if (slots.some((s) => s.preparing || (s.open && s.open.sourceProducerId === undefined))) return false;
  const open = new Set(slots.map((s) => s.open?.sourceProducerId));
  for (const batch of queue.slice(0, lookedAhead)) {
    if (batch.control) open.delete(batch.producerId);
    else if (batch.transactional && !open.has(batch.producerId)) return true;
  }
  return false;
}

/** So long after its marker was read a coordinator may still be writing that a transaction has ended. */
const restMs = 20;
/** So many free ids of a partition are enough to let each rest. */
const enoughFree = 3;

/**
 * A slot for a transaction that begins: one that stands open and empty, else a free one whose transaction ended a while
 * ago (its coordinator refuses to begin another one before it has noted the end), else a new one. `now` is monotonic.
 */
export function slotForNew(state: PartitionState, now: number): Slot {
  const waiting = state.slots.find((s) => s.open && s.open.sourceProducerId === undefined);
  if (waiting) return waiting;
  const free = state.slots.filter((s) => !s.open && !s.preparing);
  const rested = free.find((s) => now - s.endedAt >= restMs) ?? (free.length >= enoughFree ? free[0] : undefined);
  if (rested) return rested;
  const taken = new Set(state.slots.map((s) => s.transactionalId));
  let number = 0;
  while (taken.has(transactionalIdOf(state, number))) number++;
  const slot = newSlot(transactionalIdOf(state, number));
  state.slots.push(slot);
  return slot;
}

/**
 * What has to happen for the batch at the head of a partition's queue. Only `send` may overlap with others of the
 * partition; the rest waits until everything before is on the standby, and holds up what follows.
 */
export type Step =
  /** Outside a transaction without a slot. */
  | { readonly kind: 'send'; readonly slot: Slot | undefined }
  /** With a slot: its transaction is begun again, behind what it holds already. */
  | { readonly kind: 'begin'; readonly slot: Slot | undefined }
  /** Without a slot its records are below the log start, or it had none here. */
  | { readonly kind: 'end'; readonly slot: Slot | undefined; readonly outcome: TransactionOutcome }
  /** Offsets up to `to` (exclusive) are missing at the source. */
  | { readonly kind: 'fill'; readonly to: bigint }
  /** Begins the transaction for placeholders in several holes. */
  | { readonly kind: 'open' }
  | { readonly kind: 'stop'; readonly stop: Stop };

/** The next step of a partition whose standby has, or was sent, all below `state.sendFrom`. */
export function nextStep(state: PartitionState, batch: RecordBatch): Step {
  if (batch.baseOffset > state.sendFrom) return { kind: 'fill', to: batch.baseOffset };
  // The cleaner leaves a batch without records where it must remember a producer.
  if (batch.recordCount === 0) return { kind: 'fill', to: batch.lastOffset + 1n };
  const slot = state.slots.find((s) => s.open && s.open.sourceProducerId === batch.producerId);
  if (batch.control) {
    const outcome = markerOutcome(batch);
    if (outcome) return { kind: 'end', slot, outcome };
    const detail = `the control record at ${batch.baseOffset} is no marker of a transaction`;
    return { kind: 'stop', stop: { reason: 'ControlRecordUnknown', detail } };
  }
  if (!batch.transactional) return { kind: 'send', slot: undefined };
  return slot && slot.orphan === undefined ? { kind: 'send', slot } : { kind: 'begin', slot };
}
