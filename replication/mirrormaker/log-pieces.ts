import type { RecordBatch } from '../../regions/kafka/record-batch.ts';

/** Offsets [from, to) of a log of one kind: each holds a record, none does, or it can't be told from outside. */
interface LogPiece {
  readonly from: bigint;
  readonly to: bigint;
  readonly kind: 'records' | 'none' | 'unclear';
}

/** What was seen of a log: pieces in order, without gap and overlap. Offsets outside of them are not known. */
export type LogPieces = readonly LogPiece[];

/** Which side of a copy a log is: a source's transactions decide what is copied, a copy's don't. */
export type LogSide = 'source' | 'copy';

/**
 * The pieces of [from, to) by the headers of the batches that lie there, in order. On the source everything of
 * transactions is unclear: what MirrorMaker reads depends on their outcome. On the copy a marker takes an offset without
 * a record. Holes and batches with holes are unclear on both: compaction may have taken records that were copied.
 */
export function logPieces(
  batches: Iterable<Pick<RecordBatch, 'baseOffset' | 'lastOffset' | 'recordCount' | 'transactional' | 'control'>>,
  side: LogSide,
  from: bigint,
  to: bigint,
): LogPieces {
  const pieces: LogPiece[] = [];
  const add = (upTo: bigint, kind: LogPiece['kind']) => {
    const last = pieces.at(-1);
    const begin = last?.to ?? from;
    const end = upTo < to ? upTo : to;
    if (end <= begin) return;
    if (last?.kind === kind) pieces[pieces.length - 1] = { ...last, to: end };
    else pieces.push({ from: begin, to: end, kind });
  };
  for (const batch of batches) {
    const whole = BigInt(batch.recordCount) === batch.lastOffset - batch.baseOffset + 1n;
    add(batch.baseOffset, 'unclear');
    if (side === 'source' && (batch.transactional || batch.control)) add(batch.lastOffset + 1n, 'unclear');
    else if (batch.control) add(batch.lastOffset + 1n, 'none');
    else add(batch.lastOffset + 1n, whole ? 'records' : 'unclear');
  }
  return pieces;
}

/** How many records lie in [from, to); undefined where that can't be told. */
export function recordsIn(pieces: LogPieces, from: bigint, to: bigint): bigint | undefined {
  if (to <= from) return 0n;
  let count = 0n;
  let at = from;
  for (const piece of pieces) {
    if (piece.to <= at) continue;
    if (piece.from > at || at >= to) break;
    if (piece.kind === 'unclear') return undefined;
    const end = piece.to < to ? piece.to : to;
    if (piece.kind === 'records') count += end - at;
    at = end;
  }
  return at >= to ? count : undefined;
}

/** The offset of the record with this number, from 0, at or behind `from`; undefined where that can't be told. */
export function nthRecord(pieces: LogPieces, from: bigint, n: bigint): bigint | undefined {
  let [at, left] = [from, n];
  for (const piece of pieces) {
    if (piece.to <= at) continue;
    if (piece.from > at || piece.kind === 'unclear') return undefined;
    if (piece.kind === 'records') {
      if (left < piece.to - at) return at + left;
      left -= piece.to - at;
    }
    at = piece.to;
  }
  return undefined;
}
