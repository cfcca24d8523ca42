import type { Readiness, ReadinessDay, ReadinessMoment } from '../state/readiness.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The history goes back so far. */
const keptDays = 90;
/** So many days, today's included, are kept by the minute. */
const youngDays = 2;

/** The day of an instant, UTC: `2026-11-21`. Pure. */
export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

const rank = { green: 0, yellow: 1, red: 2 } as const;

/** A day with one more word; of several within a minute the worst counts. Pure. */
export function addMoment(day: ReadinessDay | undefined, readiness: Readiness): ReadinessDay {
  const { atMs, status, rto, rpoMs, blockers } = readiness;
  const moment: ReadinessMoment = {
    atMs: atMs - (atMs % minuteMs),
    status,
    ...(rto === undefined ? {} : { rtoMs: rto.ms }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    blockers: blockers.map((b) => b.code),
  };
  const before = day?.by === 'minute' && day.day === dayOf(atMs) ? day.moments : [];
  const last = before.at(-1);
  const moments =
    last?.atMs === moment.atMs ? [...before.slice(0, -1), worst(moment.atMs, [last, moment])] : [...before, moment];
  return { day: dayOf(atMs), by: 'minute', moments };
}

/** A day by the hour. Pure; a day that is so already stays as it is. */
export function byTheHour(day: ReadinessDay): ReadinessDay {
  const hours = Map.groupBy(day.moments, (m) => m.atMs - (m.atMs % hourMs));
  return { day: day.day, by: 'hour', moments: [...hours].map(([atMs, moments]) => worst(atMs, moments)) };
}

/** Which days to put together by the hour, and which to forget. Pure. */
export function agingDays(
  days: readonly string[],
  nowMs: number,
): { readonly compact: readonly string[]; readonly drop: readonly string[] } {
  const young = dayOf(nowMs - (youngDays - 1) * dayMs);
  const oldest = dayOf(nowMs - (keptDays - 1) * dayMs);
  return { compact: days.filter((d) => d < young && d >= oldest), drop: days.filter((d) => d < oldest) };
}

function worst(atMs: number, moments: readonly ReadinessMoment[]): ReadinessMoment {
  const most = (pick: (m: ReadinessMoment) => number | undefined) => {
    const told = moments.map(pick).filter((ms) => ms !== undefined);
    return told.length === 0 ? undefined : Math.max(...told);
  };
  const [rtoMs, rpoMs] = [most((m) => m.rtoMs), most((m) => m.rpoMs)];
  return {
    atMs,
    status: moments.reduce<ReadinessMoment['status']>((a, m) => (rank[m.status] > rank[a] ? m.status : a), 'green'),
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    blockers: [...new Set(moments.flatMap((m) => m.blockers))],
  };
}
