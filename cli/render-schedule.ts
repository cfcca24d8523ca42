import type { ComingDrill } from '../drills/schedule/coming.ts';
import type { PastDrill } from '../drills/schedule/past.ts';
import { formatMs } from '../health/render-status.ts';
import type { DrillSlot } from '../state/drill-slots.ts';

const instant = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** A drill that is to come, in a line. Pure. */
export function comingLine(drill: ComingDrill, nowMs: number): string {
  const { slot, kind, dueAtMs, opensAtMs, closesAtMs, needsApproval, approvedBy, waits, underWay } = drill;
  const moved = opensAtMs !== undefined && opensAtMs > dueAtMs ? `, may begin from ${instant(opensAtMs)}` : '';
  const until = closesAtMs === undefined ? ', never open: all is blacked out' : `, until ${instant(closesAtMs)}`;
  const word = approvedBy === undefined ? '; waits for your word' : `; approved by ${approvedBy}`;
  const state = underWay
    ? '; under way'
    : waits === undefined
      ? dueAtMs <= nowMs
        ? '; due'
        : ''
      : `; waits: ${waits.message} (${waits.code})`;
  return `${instant(dueAtMs)}  ${kind.padEnd(10)}  ${slot}${moved}${until}${needsApproval ? word : ''}${state}`;
}

/** A drill that was due and did not take place, in a line. Pure. */
export function leftOutLine({ slot, kind, dueAtMs, skipped, end }: DrillSlot): string {
  const { code = 'Refused', message = 'it was refused' } = skipped ?? end ?? {};
  return `${instant(dueAtMs)}  ${kind.padEnd(10)}  ${skipped === undefined ? 'refused' : 'left out'}  ${slot}: ${message} (${code})`;
}

/** A drill that was, in a line. Pure. */
export function pastLine(drill: PastDrill): string {
  const { run, kind, outcome, verdict, startedAtMs, endedAtMs, rtoMs, rpoMs, leaks, slotAtMs, late } = drill;
  const took = endedAtMs === undefined ? '' : ` in ${formatMs(endedAtMs - startedAtMs)}`;
  const facts = [
    ...(rtoMs === undefined ? [] : [`RTO ${formatMs(rtoMs)}`]),
    ...(rpoMs === undefined ? [] : [`RPO ${formatMs(rpoMs)}`]),
    ...(leaks === undefined || leaks === 0 ? [] : [`${leaks} leaks`]),
    slotAtMs === undefined ? 'by hand' : late ? 'by schedule, caught up' : 'by schedule',
  ];
  const why = verdict === undefined || outcome === 'passed' ? '' : `: ${verdict}`;
  return `${instant(startedAtMs)}  ${kind.padEnd(10)}  ${outcome.padEnd(8)}  ${run}${took}; ${facts.join(', ')}${why}`;
}
