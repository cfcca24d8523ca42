import { formatMs } from '../../health/render-status.ts';
import type { Measured, ReportModel, ReportStep, TopicLossLine } from './model.ts';

/** `12,345`. Pure. */
export const count = (n: number): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** `2026-11-22 03:29:04 UTC`. Pure. */
export const instant = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `03:29:04.056`. Pure. */
export const timeOfDay = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);

/** What nobody knows is called so. Pure. */
export const orUnknown = (n: number | null | undefined, say: (n: number) => string): string =>
  n === null || n === undefined ? 'unknown' : say(n);

/** `1.2 KiB`; without fraction below a KiB. Pure. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** `met`, `missed`, or that it can't be told. Pure. */
export function metText({ met }: Pick<Measured, 'met'>): string {
  return met === null ? 'can’t be told' : met ? 'met' : 'missed';
}

/** What a step's status means, for people. Pure. */
export function statusText({ status }: Pick<ReportStep, 'status'>): string {
  switch (status) {
    case 'already':
      return 'was so already';
    case 'compensated':
      return 'taken back';
    case 'not-run':
      return 'not begun';
    case 'started':
      return 'cut off';
    case 'done':
    case 'failed':
    case 'refused':
      return status;
    default:
      return status satisfies never;
  }
}

/** A sign beside the colour. Pure. */
export function statusMark({ status }: Pick<ReportStep, 'status'>): string {
  return { done: '✓', already: '=', failed: '✗', refused: '⊘', compensated: '↶', started: '…', 'not-run': '·' }[status];
}

/** How sure a number is. Pure. */
export function certaintyText({ certainty }: Pick<TopicLossLine, 'certainty'>): string {
  return { proven: 'none, proven', counted: 'counted', estimated: 'estimated', unknown: 'nobody knows' }[certainty];
}

/** Whether a move is known to have lost nothing. Pure. */
export function provenText({ provenZero }: { readonly provenZero: boolean }): string {
  return provenZero ? 'nothing lost, proven' : 'that nothing was lost is not proven';
}

/** `8.9 s of 15 min 0 s: met`. Pure. */
export function measuredText(measured: Measured): string {
  const most = measured.atMostMs === undefined ? '' : `, at most ${formatMs(measured.atMostMs)}`;
  return `${orUnknown(measured.ms, formatMs)}${most}; objective ${formatMs(measured.objectiveMs)}: ${metText(measured)}`;
}

/** How the journal stands, in one sentence. Pure. */
export function journalText({ chained, fault, head, entries }: ReportModel['journal']): string {
  if (fault !== undefined) return `the journal is not as it was written from entry ${fault.seq} on: ${fault.why}`;
  if (!chained || head === undefined)
    return `${entries.length} entries without hashes, of an older version: a change would not show`;
  return `${entries.length} entries, each with the hash of the one before it; the last is ${head.sha256}`;
}

/** `good`, `bad` or neither, for colours. Pure. */
export function tone(model: Pick<ReportModel, 'status' | 'rto' | 'rpo' | 'causes'>): 'ok' | 'warn' | 'bad' {
  if (model.status === 'failed' || model.status === 'refused' || model.causes.length > 0) return 'bad';
  if (model.status !== 'done') return 'warn';
  return model.rto?.met === false || model.rpo?.met === false ? 'warn' : 'ok';
}
