import type { TopicPartition } from '../../domain/offsets.ts';
import type { OffsetRange, WantedRange } from './divergence.ts';
import { type OrphanRecord, type RescueOrigin, sameOrphan } from './orphan-record.ts';
import type { OrphanStore } from './orphan-store.ts';
import type { OldLog } from './read-range.ts';

/** What is rescued of one partition, as it was counted while it was compared. */
export interface RescuedPartition extends TopicPartition {
  /** The ranges that were asked for; every record in them is kept. */
  readonly ranges: readonly WantedRange[];
  /** Records that the active side never had. */
  readonly orphans: bigint;
  /** Of these, in transactions that were aborted. */
  readonly aborted: bigint;
  /** Of these, in transactions that nobody ended. */
  readonly open: bigint;
  /** Records that the active side has deleted. */
  readonly older: bigint;
  /** Of keys, values and headers, as encoded. */
  readonly bytes: bigint;
}

/** What the two sides of a rescue are, and what it may do. */
export interface Rescue {
  readonly old: OldLog;
  readonly store: OrphanStore;
  readonly origin: RescueOrigin;
  /** Throws when nothing may be written any more. */
  readonly mayAct: () => void;
  readonly onProgress?: (records: number) => void;
}

const batchRecords = 1_000;
const batchBytes = 400 * 1024;

/**
 * Copies what the store lacks of these ranges of one partition, in order. Where it was killed, the next one goes on: what
 * is kept already is read first. Only while the old primary's log stands still.
 */
export async function rescuePartition(
  rescue: Rescue,
  tp: TopicPartition,
  ranges: readonly WantedRange[],
  logEnd: bigint,
  signal: AbortSignal,
): Promise<void> {
  const { old, store, origin, mayAct, onProgress } = rescue;
  const held = new HeldRuns();
  for await (const record of store.read(tp, origin, signal)) held.add(record);
  const left = remaining(ranges, held.runs());
  if (left.length === 0) return;
  let records = 0;
  for (const range of left) {
    let batch: OrphanRecord[] = [];
    let bytes = 0;
    const flush = async () => {
      if (batch.length === 0) return;
      mayAct();
      await store.append(tp, origin, batch, signal);
      records += batch.length;
      onProgress?.(records);
      batch = [];
      bytes = 0;
    };
    for await (const record of old.records(range, logEnd, signal)) {
      if (batch.length >= batchRecords || (batch.length > 0 && bytes + record.body.length > batchBytes)) await flush();
      batch.push(record);
      bytes += record.body.length;
    }
    await flush();
  }
}

/** A stretch of records that were appended one after the other for the same reason. */
interface HeldRun {
  readonly reason: WantedRange['reason'];
  readonly first: bigint;
  readonly last: bigint;
}

/** What a store holds of one partition, as runs: each holds every record of the old log from its first to its last. */
export class HeldRuns {
  readonly #runs: { reason: WantedRange['reason']; first: bigint; last: bigint }[] = [];

  /** Takes the records in the order in which they were appended. */
  add({ reason, offset }: Pick<OrphanRecord, 'reason' | 'offset'>): void {
    const run = this.#runs.at(-1);
    if (run && run.reason === reason && offset > run.last) run.last = offset;
    else this.#runs.push({ reason, first: offset, last: offset });
  }

  runs(): readonly HeldRun[] {
    return this.#runs;
  }
}

/**
 * What of the wanted ranges is not held yet, in their order. A run of the same reason holds what lies between its first
 * and its last record. Pure.
 */
export function remaining(wanted: readonly WantedRange[], held: readonly HeldRun[]): readonly WantedRange[] {
  return wanted.flatMap((range) => {
    let left: OffsetRange[] = [range];
    for (const run of held) {
      if (run.reason !== range.reason) continue;
      left = left.flatMap(({ from, to }) =>
        run.last < from || run.first >= to
          ? [{ from, to }]
          : [
              { from, to: run.first },
              { from: run.last + 1n, to },
            ].filter((piece) => piece.from < piece.to),
      );
    }
    return left.map(({ from, to }) => ({ ...range, from, to }));
  });
}

/** How what is kept differs from what should be; undefined where it does not. */
export type RescueCheck =
  | { readonly kind: 'verified'; readonly partition: RescuedPartition }
  | { readonly kind: 'differs'; readonly at: bigint; readonly what: string };

/**
 * Reads the ranges of the old primary and what is kept of them, and compares each record with each: offset, timestamp,
 * transaction, key, value and headers. What is kept twice, or is missing, is a difference. Reads only.
 */
export async function verifyPartition(
  rescue: Pick<Rescue, 'old' | 'store' | 'origin'>,
  tp: TopicPartition,
  ranges: readonly WantedRange[],
  logEnd: bigint,
  signal: AbortSignal,
): Promise<RescueCheck> {
  const { old, store, origin } = rescue;
  return compareKept(
    tp,
    ranges,
    (range) => old.records(range, logEnd, signal),
    () => store.read(tp, origin, signal),
  );
}

/** Compares what should be kept with what is. The order in which pieces of one reason were appended does not matter. */
export async function compareKept(
  tp: TopicPartition,
  ranges: readonly WantedRange[],
  wanted: (range: WantedRange) => AsyncIterable<OrphanRecord>,
  kept: () => AsyncIterable<OrphanRecord>,
): Promise<RescueCheck> {
  const count = noneYet();
  for (const range of ranges) {
    const there = ofRange(kept(), range)[Symbol.asyncIterator]();
    try {
      for await (const record of wanted(range)) {
        const next = await there.next();
        if (next.done) return { kind: 'differs', at: record.offset, what: 'it is not kept' };
        if (!sameOrphan(record, next.value)) {
          const what = next.value.offset === record.offset ? 'it is kept otherwise' : `${next.value.offset} is kept`;
          return { kind: 'differs', at: record.offset, what };
        }
        add(count, record);
      }
      const more = await there.next();
      if (!more.done) return { kind: 'differs', at: more.value.offset, what: 'it is kept once more' };
    } finally {
      await there.return(undefined);
    }
  }
  const { topic, partition } = tp;
  return { kind: 'verified', partition: { topic, partition, ranges, ...count } };
}

/** Counts what is kept of these ranges; what was verified when it was kept, and the old primary may not have any more. */
export async function countKept(
  tp: TopicPartition,
  ranges: readonly KeptRange[],
  kept: () => AsyncIterable<OrphanRecord>,
): Promise<RescuedPartition> {
  const { topic, partition } = tp;
  const count = noneYet();
  for await (const record of kept()) {
    const { reason, offset } = record;
    if (ranges.some((r) => r.reason === reason && offset >= r.from && offset < r.to)) add(count, record);
  }
  return { topic, partition, ranges: ranges.map((r) => ({ ...r, topic, partition })), ...count };
}

/** Offsets that are kept, and why. */
export type KeptRange = Pick<WantedRange, 'from' | 'to' | 'reason'>;

/** All offsets of these, each once: `older` first, in order, without seams. Pure. */
export function unionOf(ranges: readonly KeptRange[]): readonly KeptRange[] {
  const joined: { from: bigint; to: bigint; reason: KeptRange['reason'] }[] = [];
  const ordered = ranges.toSorted((a, b) => a.reason.localeCompare(b.reason) || (a.from < b.from ? -1 : 1));
  for (const { from, to, reason } of ordered) {
    const last = joined.at(-1);
    if (last?.reason !== reason || from > last.to) joined.push({ from, to, reason });
    else if (to > last.to) last.to = to;
  }
  return joined;
}

const noneYet = () => ({ orphans: 0n, aborted: 0n, open: 0n, older: 0n, bytes: 0n });

function add(count: ReturnType<typeof noneYet>, { reason, transaction, body }: OrphanRecord): void {
  count.bytes += BigInt(body.length);
  if (reason === 'older') {
    count.older++;
    return;
  }
  count.orphans++;
  if (transaction === 'aborted') count.aborted++;
  if (transaction === 'open') count.open++;
}

/** Sorts nothing: a record of a later piece that comes before one of an earlier piece is a difference, and is told. */
async function* ofRange(
  kept: AsyncIterable<OrphanRecord>,
  { reason, from, to }: WantedRange,
): AsyncGenerator<OrphanRecord, undefined> {
  for await (const record of kept) {
    if (record.reason === reason && record.offset >= from && record.offset < to) yield record;
  }
  return undefined;
}
