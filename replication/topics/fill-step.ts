import { describeError } from '../../domain/errors.ts';
import { type FillerRecords, fillerBatch, fillerRecords } from '../../regions/kafka/filler-batch.ts';
import { type RecordBatch, readBatch } from '../../regions/kafka/record-batch.ts';
import { dropQueue, type PartitionState, stopBehindQueue } from './partition-state.ts';
import { decideFill, holesAhead, longestPlaced } from './plan-filling.ts';
import { hasInnerHoles, splitCompacted } from './split-batch.ts';
import type { Slot } from './transaction-slots.ts';

/** What happens to the hole at the head of a partition's queue: only `place` may overlap with what is in flight. */
export type FillStep =
  | { readonly kind: 'place'; readonly to: bigint; readonly slot: Slot }
  | { readonly kind: 'open' }
  | { readonly kind: 'fill'; readonly to: bigint };

/**
 * The next step of a partition whose next offset is missing; `to` (exclusive) is where the first batch behind begins.
 * `ending`: what is open shall be ended.
 */
export function fillStep(state: PartitionState, to: bigint, nowMs: number, ending: boolean): FillStep {
  const { sendFrom, queue, filler } = state;
  const slot = filler?.open && filler.producer ? filler : undefined;
  const ahead = holesAhead(sendFrom, queue, slot === undefined);
  const openForMs = slot?.open && (ending ? Number.POSITIVE_INFINITY : nowMs - slot.open.sinceMs);
  const decision = decideFill(ahead, sendFrom, openForMs);
  if (decision === 'place' && slot) return { kind: 'place', to: ahead.to, slot };
  return decision === 'open' ? { kind: 'open' } : { kind: 'fill', to };
}

/**
 * The batch at the head of a partition's queue, as it can be sent: one with holes inside is replaced by its pieces.
 * Undefined when there is none, or when it can't be split: then the partition stops behind what is in flight.
 */
export function readyHead(state: PartitionState): RecordBatch | undefined {
  const { queue, sendFrom } = state;
  const [head] = queue;
  if (!head || !hasInnerHoles(head)) return head;
  let pieces: readonly RecordBatch[];
  try {
    pieces = splitCompacted(head, sendFrom);
  } catch (error) {
    dropQueue(state);
    stopBehindQueue(state, { reason: 'CorruptBatch', detail: `at ${head.baseOffset}: ${describeError(error)}` });
    return undefined;
  }
  queue.splice(0, 1, ...pieces);
  state.bufferedBytes += pieces.reduce((sum, p) => sum + p.bytes.length, 0) - head.bytes.length;
  return pieces[0];
}

/** Takes what lies below `to` from the queue, and gives the placeholders that are sent for it. */
export function takePlaceholders(state: PartitionState, to: bigint): RecordBatch {
  const { sendFrom, queue } = state;
  const placeholders = placeholderBatch(Number(to - sendFrom));
  state.bufferedBytes += placeholders.bytes.length;
  while ((queue[0]?.lastOffset ?? to) < to) state.bufferedBytes -= queue.shift()?.bytes.length ?? 0;
  return { ...placeholders, baseOffset: sendFrom, lastOffset: to - 1n };
}

/** Most holes are small: their records are made once. */
const keptCounts = 256;
const kept: (FillerRecords | undefined)[] = [];
/** Fewer aren't worth compressing, neither here nor at the broker. */
const worthPacking = 32;
const unset = { producerId: -1n, producerEpoch: -1 };

function placeholderBatch(count: number): RecordBatch {
  if (count > Number(longestPlaced)) throw new RangeError(`${count} placeholders in one batch`);
  const records = kept[count] ?? fillerRecords(count, count < worthPacking ? 'none' : 'gzip');
  if (count < keptCounts) kept[count] = records;
  return readBatch(fillerBatch(records, { producer: unset, baseSequence: -1, transactional: true }));
}
