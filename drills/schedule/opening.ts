import type { DrillScheduleEntry } from '../../domain/drill-schedule-config.ts';

/** When a drill may begin. */
export interface Opening {
  readonly opensAtMs: number;
  /** Exclusive. */
  readonly closesAtMs: number;
}

type Rules = Pick<DrillScheduleEntry, 'timezone' | 'windows' | 'blackout' | 'patience'>;

const dayMs = 86_400_000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
/** Nobody blacks out more than this and means it. */
const farthestDays = 800;

/**
 * When a drill that is due may begin: from then on, or from the next window on, on no blackout date; until the window's
 * end, else until its patience or a blackout date ends it. Undefined: not within two years. Pure.
 */
export function openingFrom(rules: Rules, dueAtMs: number): Opening | undefined {
  let found: Opening | undefined;
  for (let day = dayOf(rules.timezone, dueAtMs), n = 0; n < farthestDays; n++, day += dayMs) {
    const next = spansOf(rules, day).find((span) => span.closesAtMs > dueAtMs);
    if (found !== undefined && (next === undefined || next.opensAtMs > found.closesAtMs)) break;
    if (next === undefined) continue;
    const opensAtMs = found?.opensAtMs ?? Math.max(next.opensAtMs, dueAtMs);
    const longestMs = rules.windows.length > 0 ? Number.POSITIVE_INFINITY : opensAtMs + rules.patience;
    found = { opensAtMs, closesAtMs: Math.min(next.closesAtMs, longestMs) };
    if (rules.windows.length > 0 || next.closesAtMs >= longestMs) break;
  }
  return found;
}

/** Whether a drill may begin at an instant. Pure. */
export function isOpen(rules: Pick<Rules, 'timezone' | 'windows' | 'blackout'>, atMs: number): boolean {
  const spans = spansOf(rules, dayOf(rules.timezone, atMs));
  return spans.some((span) => span.opensAtMs <= atMs && atMs < span.closesAtMs);
}

/** What of one of the zone's days is open, the earliest first. `day`: its date as that of UTC. */
function spansOf({ timezone, windows, blackout }: Omit<Rules, 'patience'>, day: number): readonly Opening[] {
  const date = new Date(day).toISOString().slice(0, 10);
  if (blackout.some(({ from, to }) => from <= date && date <= to)) return [];
  if (windows.length === 0)
    return [{ opensAtMs: instantOf(timezone, day), closesAtMs: instantOf(timezone, day + dayMs) }];
  const weekday = weekdays[new Date(day).getUTCDay()] ?? 'sun';
  return windows
    .filter((w) => w.days === undefined || w.days.includes(weekday))
    .map(({ from, to }) => ({
      opensAtMs: instantOf(timezone, day + msOf(from)),
      closesAtMs: instantOf(timezone, day + msOf(to)),
    }))
    .toSorted((a, b) => a.opensAtMs - b.opensAtMs);
}

const msOf = (time: string) => Number(time.slice(0, 2)) * 3_600_000 + Number(time.slice(3)) * 60_000;

/** The zone's date at an instant, as the begin of that date in UTC. */
const dayOf = (timezone: string, atMs: number) => {
  const local = localOf(timezone, atMs);
  return local - (((local % dayMs) + dayMs) % dayMs);
};

/** The instant at which the zone's clocks show a time, which is given as if it were UTC; in a gap, that much after it. */
function instantOf(timezone: string, local: number): number {
  const first = local - (localOf(timezone, local) - local);
  // The offset may be another on that side of a change.
  const offset = localOf(timezone, first) - first;
  return local - offset;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the zone's clocks show at an instant, as if it were UTC. */
function localOf(timezone: string, atMs: number): number {
  let format = formats.get(timezone);
  if (format === undefined) {
    const numbers = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
      ...{ ...numbers, minute: 'numeric', second: 'numeric', hourCycle: 'h23', timeZone: timezone },
    });
    formats.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const ms = ((atMs % 1_000) + 1_000) % 1_000;
  const [year, month, day] = [part('year'), part('month'), part('day')];
  return Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second'), ms);
}
