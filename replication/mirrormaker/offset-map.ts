import { type LogPieces, nthRecord, recordsIn } from './log-pieces.ts';

/** One sync of MirrorMaker's: the record at `upstream` on the source was written at `downstream` on the standby. */
export interface OffsetSync {
  readonly upstream: bigint;
  readonly downstream: bigint;
}

/** Why an offset isn't translated. */
export type TranslationRefusal =
  | 'NoSync'
  | 'BeforeFirstSync'
  | 'NotSyncedYet'
  | 'PastStandbyEnd'
  | 'BelowStandbyStart'
  | 'Redelivered'
  | 'Unproven';

export type Translation =
  | { readonly kind: 'exact'; readonly offset: bigint }
  | { readonly kind: 'refused'; readonly code: TranslationRefusal; readonly why: string };

export interface TranslationView {
  /** Of one partition, as they stand in the log of syncs: the order in which MirrorMaker wrote them. */
  readonly syncs: readonly OffsetSync[];
  /** The standby's log, asked after the syncs were read. The end is exclusive. */
  readonly standby: { readonly logStartOffset: bigint; readonly logEndOffset: bigint };
  /** What lies in the logs between syncs, as far as it was looked at. */
  readonly seen?: { readonly source: LogPieces; readonly copy: LogPieces };
}

/**
 * Where a reader that would go on at `upstreamOffset` on the source has to go on, on the standby: up to the last sync it
 * then reads each record from there on once, in order, and none before it. Only what is proven is exact:
 *
 * - a sync at this very offset, or the next position behind the last sync;
 * - between two syncs: they are neighbours on the standby, so nothing was written between them; or both logs hold the
 *   same number of records there, so that each was written once;
 * - and every step from there to the last sync is proven in the same way: after a restart MirrorMaker writes records
 *   again, which a reader would meet twice.
 *
 * Never behind the standby's log end. What was written behind the last sync is not judged.
 * Sources: OffsetSyncWriter and OffsetSyncStore of connect-mirror 4.3.1 (a sync may be replaced by a newer one before it
 * is sent, so with offset.lag.max=0 too there are records without one); KAFKA-12468, KAFKA-12635, KAFKA-14666.
 */
export function translateOffset(upstreamOffset: bigint, view: TranslationView): Translation {
  const syncs = sinceTruncation(view.syncs);
  const last = syncs.at(-1);
  if (!last) return refused('NoSync', 'MirrorMaker has written no sync for this partition');
  if (last.downstream >= view.standby.logEndOffset)
    return refused(
      'PastStandbyEnd',
      `the newest sync names offset ${last.downstream}, the standby's log ends at ${view.standby.logEndOffset}: it lost records or was made anew`,
    );
  const at = syncs.findLastIndex((s) => s.upstream <= upstreamOffset);
  const before = syncs[at];
  if (!before)
    return refused('BeforeFirstSync', `the oldest sync that is kept is at offset ${syncs[0]?.upstream} of the source`);
  const offset = positionBehind(upstreamOffset, before, syncs[at + 1], view.seen);
  if (typeof offset !== 'bigint') return offset;
  if (offset < view.standby.logStartOffset)
    return refused('BelowStandbyStart', `offset ${offset} was deleted on the standby already`);
  for (let i = at; i + 1 < syncs.length; i++) {
    const wrong = unprovenStep(syncs[i] as OffsetSync, syncs[i + 1] as OffsetSync, view.seen);
    if (wrong) return wrong;
  }
  return { kind: 'exact', offset };
}

/** The ranges of both logs that a translation has to look at: from the sync before the offset to the last one. */
export function rangesToSee(
  upstreamOffset: bigint,
  all: readonly OffsetSync[],
): { readonly source: Range; readonly copy: Range } | undefined {
  const syncs = sinceTruncation(all);
  const at = syncs.findLastIndex((s) => s.upstream <= upstreamOffset);
  const [first, last] = [syncs[at], syncs.at(-1)];
  if (!first || !last || first === last) return undefined;
  return {
    source: { from: first.upstream, to: last.upstream + 1n },
    copy: { from: first.downstream, to: last.downstream + 1n },
  };
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** Only the syncs of the standby's present log: where offsets there begin again, it was made anew or lost its end. */
function sinceTruncation(syncs: readonly OffsetSync[]): readonly OffsetSync[] {
  const begin = syncs.findLastIndex((s, i) => i > 0 && s.downstream <= (syncs[i - 1] as OffsetSync).downstream);
  return begin < 0 ? syncs : syncs.slice(begin);
}

function positionBehind(
  wanted: bigint,
  before: OffsetSync,
  next: OffsetSync | undefined,
  seen: TranslationView['seen'],
): bigint | Translation {
  if (wanted === before.upstream) return before.downstream;
  if (!next) {
    if (wanted === before.upstream + 1n) return before.downstream + 1n;
    return refused(
      'NotSyncedYet',
      `the newest sync is at offset ${before.upstream} of the source; nothing tells what lies between`,
    );
  }
  const wrong = unprovenStep(before, next, seen);
  if (wrong) return wrong;
  if (next.downstream === before.downstream + 1n) return next.downstream;
  const between = seen && recordsIn(seen.source, before.upstream + 1n, wanted);
  const offset = between === undefined ? undefined : nthRecord(seen?.copy ?? [], before.downstream + 1n, between);
  return offset ?? unproven(before, next);
}

/** Undefined when each record of the source behind `a`, up to `b`, was written exactly once between the two. */
function unprovenStep(a: OffsetSync, b: OffsetSync, seen: TranslationView['seen']): Translation | undefined {
  const read = b.upstream - a.upstream;
  const written = b.downstream - a.downstream;
  if (read <= 0n)
    return refused('Redelivered', `behind offset ${a.upstream} MirrorMaker began again at ${b.upstream} or before`);
  if (written === 1n) return undefined;
  const records = seen && recordsIn(seen.source, a.upstream + 1n, b.upstream + 1n);
  const copies = seen && recordsIn(seen.copy, a.downstream + 1n, b.downstream + 1n);
  if (records === undefined || copies === undefined) return unproven(a, b);
  if (records === copies) return undefined;
  return refused(
    'Redelivered',
    `behind offset ${a.upstream} up to ${b.upstream} the source holds ${records} records, the standby ${copies}`,
  );
}

function unproven(a: OffsetSync, b: OffsetSync): Translation {
  return refused(
    'Unproven',
    `between the syncs ${a.upstream} → ${a.downstream} and ${b.upstream} → ${b.downstream} the logs could not be compared record for record: transactions, compaction, or a side that can't be read`,
  );
}

const refused = (code: TranslationRefusal, why: string): Translation => ({ kind: 'refused', code, why });
