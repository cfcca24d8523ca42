import { lastDue, nextDue } from '../../domain/cron.ts';
import type { DrillScheduleEntry } from '../../domain/drill-schedule-config.ts';
import { type DrillSlot, slotName } from '../../state/drill-slots.ts';
import { isOpen, type Opening, openingFrom } from './opening.ts';
import { type DrillReason, type DrillStanding, notCalm } from './standing.ts';

/** What is known when it is decided on one line of the schedule. */
export interface DrillView {
  readonly nowMs: number;
  readonly entry: DrillScheduleEntry;
  /** All lines in force for drills of its kind, in the schedule's order; absent: this one alone. */
  readonly lines?: readonly DrillScheduleEntry[];
  /** Since when this line is in force. */
  readonly sinceMs: number;
  /** The slots of its kind that are known, in any order; of many the newest. */
  readonly slots: readonly DrillSlot[];
  /** Only asked for when a drill is due. */
  readonly standing: DrillStanding | 'unread';
}

/** What to do about one line of the schedule now. */
export type DrillDecision =
  /** Nothing, until then at the latest. */
  | { readonly kind: 'idle'; readonly untilMs: number }
  /** A slot is due, or is to be announced: make it known. */
  | { readonly kind: 'open'; readonly slot: DrillSlot }
  | { readonly kind: 'look' }
  /** It is due and must not begin now; `untilMs`: it can't before that, or it is over then. */
  | { readonly kind: 'wait'; readonly slot: string; readonly reason: DrillReason; readonly untilMs: number }
  | { readonly kind: 'skip'; readonly slot: string; readonly reason: DrillReason }
  | { readonly kind: 'run'; readonly slot: string; readonly late: boolean };

/** What comes so much later was missed, and is caught up. */
const graceMs = 5 * 60_000;
/** Of those that were missed, so many are looked for. */
const lookBack = 400;

/**
 * What to do now about one line. Of several missed slots the newest alone is caught up. A slot that is known is settled
 * by what is kept of it, whatever the clock says by now: one that was begun, ended or left out never comes back. Where
 * several lines are due at one instant there is one slot, and one line at a time has its say in it. Pure.
 */
export function decideDrill({ nowMs, entry, lines = [entry], sinceMs, slots, standing }: DrillView): DrillDecision {
  const own = slots.filter((s) => s.kind === entry.kind);
  const open = own.filter((s) => s.status === 'open' && s.dueAtMs <= nowMs).toSorted((a, b) => b.dueAtMs - a.dueAtMs);
  const due = newestDue(entry, lines, nowMs, Math.max(sinceMs, settledUpTo(own, nowMs)), own);
  const [waiting, ...older] = open;
  // Whatever a newer one stands for is not caught up.
  const newer = due !== undefined && waiting !== undefined && due.dueAtMs > waiting.dueAtMs;
  const overtaken = older[0] ?? (newer ? waiting : undefined);
  if (overtaken !== undefined) {
    const reason = overtaken.putOff ?? { code: 'Missed', message: 'it could not begin before the next one was due' };
    return { kind: 'skip', slot: overtaken.slot, reason: { code: reason.code, message: reason.message } };
  }
  if (waiting !== undefined && speaksFor(lines, waiting.dueAtMs, nowMs) === entry) {
    const needsApproval = dueBy(lines, waiting.dueAtMs).some((line) => line.needsApproval);
    return onWaiting(waiting, { ...entry, needsApproval }, nowMs, standing);
  }
  // Behind one that waits by another line nothing older is opened.
  if (due !== undefined && waiting === undefined) return { kind: 'open', slot: due };
  const [next] = nextDue(entry, nowMs, 1);
  if (next === undefined) return { kind: 'idle', untilMs: Number.POSITIVE_INFINITY };
  if (!entry.needsApproval || isKnown(own, next)) return { kind: 'idle', untilMs: next };
  const announceAtMs = next - entry.announce;
  if (nowMs < announceAtMs) return { kind: 'idle', untilMs: announceAtMs };
  const announced = slotOf(entry, lines, next, nowMs, []);
  return announced === undefined ? { kind: 'idle', untilMs: next } : { kind: 'open', slot: announced };
}

/** Whether a line makes a drill due at that very instant. Pure. */
export function isDueBy(entry: DrillScheduleEntry, atMs: number): boolean {
  return lastDue(entry, atMs, 1)[0] === atMs || nextDue(entry, atMs - 1, 1)[0] === atMs;
}

/** The lines that make a drill due at that very instant. Pure. */
export function dueBy(lines: readonly DrillScheduleEntry[], atMs: number): readonly DrillScheduleEntry[] {
  return lines.filter((line) => isDueBy(line, atMs));
}

/**
 * By what a drill begins that these lines make due at one instant: as soon as any of them lets it, and as long as that one
 * does; `opening` is undefined when none ever does. A person has to agree when one of them asks for it. Pure.
 */
export function termsOf(
  due: readonly DrillScheduleEntry[],
  fromMs: number,
): { readonly opening: Opening | undefined; readonly needsApproval: boolean } {
  const [opening] = due
    .map((line) => openingFrom(line, fromMs))
    .filter((found) => found !== undefined)
    .toSorted((a, b) => a.opensAtMs - b.opensAtMs || b.closesAtMs - a.closesAtMs);
  return { opening, needsApproval: due.some((line) => line.needsApproval) };
}

/** Of the lines that make a drill due at an instant, the one that decides now: the first that lets it begin, else the first. */
function speaksFor(
  lines: readonly DrillScheduleEntry[],
  dueAtMs: number,
  nowMs: number,
): DrillScheduleEntry | undefined {
  const due = dueBy(lines, dueAtMs);
  return due.find((line) => isOpen(line, nowMs)) ?? due[0];
}

function onWaiting(
  slot: DrillSlot,
  entry: DrillScheduleEntry,
  nowMs: number,
  standing: DrillStanding | 'unread',
): DrillDecision {
  const { slot: name, opensAtMs, closesAtMs, late, needsApproval, approval, putOff } = slot;
  if (nowMs >= closesAtMs) {
    const last = putOff ?? { code: 'TooLate', message: 'no daemon was there to begin it in time' };
    return { kind: 'skip', slot: name, reason: { code: last.code, message: last.message } };
  }
  if (nowMs < opensAtMs) {
    const message = `it may not begin before ${new Date(opensAtMs).toISOString()}`;
    return { kind: 'wait', slot: name, reason: { code: 'OutsideWindow', message }, untilMs: opensAtMs };
  }
  // The windows may be others than when the slot was opened.
  if (!isOpen(entry, nowMs)) {
    const reason = { code: 'OutsideWindow', message: 'the schedule has no window for it now' };
    return { kind: 'wait', slot: name, reason, untilMs: closesAtMs };
  }
  // Approval may be required only since.
  if ((needsApproval || entry.needsApproval) && approval === undefined) {
    const message = `a person has to agree to it: argus drill approve ${name}`;
    return { kind: 'wait', slot: name, reason: { code: 'NeedsApproval', message }, untilMs: closesAtMs };
  }
  if (standing === 'unread') return { kind: 'look' };
  const [reason] = notCalm(slot.kind, standing);
  if (reason !== undefined) return { kind: 'wait', slot: name, reason, untilMs: closesAtMs };
  return { kind: 'run', slot: name, late };
}

/** Up to when everything is settled, with that instant: nothing up to it is due again. */
function settledUpTo(own: readonly DrillSlot[], nowMs: number): number {
  const settled = own.filter((s) => s.status !== 'open' && s.dueAtMs <= nowMs).map((s) => s.dueAtMs);
  return Math.max(Number.NEGATIVE_INFINITY, ...settled);
}

/** Whether a slot is known, or one stands for it. */
const isKnown = (own: readonly DrillSlot[], dueAtMs: number) =>
  own.some((s) => s.dueAtMs >= dueAtMs && dueAtMs >= (s.missed?.firstDueAtMs ?? s.dueAtMs));

function newestDue(
  entry: DrillScheduleEntry,
  lines: readonly DrillScheduleEntry[],
  nowMs: number,
  afterMs: number,
  own: readonly DrillSlot[],
): DrillSlot | undefined {
  const [newest] = lastDue(entry, nowMs, 1);
  if (newest === undefined || newest <= afterMs || isKnown(own, newest)) return undefined;
  return slotOf(entry, lines, newest, nowMs, missedBefore(entry, newest, afterMs, own));
}

/** What else was due since, the newest first. */
function missedBefore(
  entry: DrillScheduleEntry,
  newest: number,
  afterMs: number,
  own: readonly DrillSlot[],
): readonly number[] {
  const missed: number[] = [];
  for (let before = newest; missed.length < lookBack; ) {
    const [due] = lastDue(entry, before - 1, 1);
    if (due === undefined || due <= afterMs) break;
    before = due;
    if (!isKnown(own, due)) missed.push(due);
  }
  return missed;
}

function slotOf(
  entry: DrillScheduleEntry,
  lines: readonly DrillScheduleEntry[],
  dueAtMs: number,
  nowMs: number,
  missed: readonly number[],
): DrillSlot | undefined {
  const late = nowMs - dueAtMs > graceMs;
  const { opening, needsApproval } = termsOf(dueBy(lines, dueAtMs), late ? nowMs : dueAtMs);
  if (opening === undefined) return undefined;
  const firstDueAtMs = missed.at(-1);
  return {
    slot: slotName(entry.kind, dueAtMs),
    kind: entry.kind,
    dueAtMs,
    seenAtMs: nowMs,
    ...opening,
    late,
    needsApproval,
    status: 'open',
    ...(firstDueAtMs === undefined ? {} : { missed: { count: missed.length, firstDueAtMs } }),
  };
}
