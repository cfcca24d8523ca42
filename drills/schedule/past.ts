import { numberIn, partOf, textIn } from '../../state/json-parts.ts';
import type { RunRecord } from '../../state/run-record.ts';

/** A drill that was, in short. */
export interface PastDrill {
  readonly run: string;
  readonly kind: string;
  /** `under-way`: its journal has no end; it may have been cut off. */
  readonly outcome: 'passed' | 'failed' | 'stopped' | 'under-way';
  readonly verdict?: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly by: string;
  /** When it was due by the schedule; absent: a person began it. */
  readonly slotAtMs?: number;
  readonly late?: boolean;
  readonly rtoMs?: number;
  readonly rpoMs?: number;
  readonly leaks?: number;
}

/** A drill as its journal has it, whatever its report lacks. Pure. */
export function pastDrill({ run, by, status, startedAtMs, lastAtMs, details, report }: RunRecord): PastDrill {
  const told = textIn(report, 'outcome');
  const outcome = status === 'running' ? 'under-way' : isOutcome(told) ? told : status === 'done' ? 'passed' : 'failed';
  const verdict = textIn(report, 'verdict');
  const slotAtMs = numberIn(partOf(details, 'trigger'), 'slotAtMs');
  const rtoMs = numberIn(partOf(report, 'rto'), 'ms');
  const rpoMs = numberIn(partOf(report, 'rpo'), 'ms');
  const leaks = partOf(report, 'leaks');
  return {
    run,
    kind: textIn(details, 'kind') ?? 'unknown',
    outcome,
    startedAtMs,
    ...(status === 'running' ? {} : { endedAtMs: lastAtMs }),
    by,
    ...(verdict === undefined ? {} : { verdict }),
    ...(slotAtMs === undefined ? {} : { slotAtMs, late: partOf(partOf(details, 'trigger'), 'late') === true }),
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    ...(Array.isArray(leaks) ? { leaks: leaks.length } : {}),
  };
}

const isOutcome = (text: string | undefined): text is 'passed' | 'failed' | 'stopped' =>
  text === 'passed' || text === 'failed' || text === 'stopped';
