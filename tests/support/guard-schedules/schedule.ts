/** What can be cut. The primary's guard and the failover may lose everything, the standby's guard one of its two ways. */
export const ways = ['guard-state', 'guard-witness', 'standby-state', 'standby-witness', 'argus-witness'] as const;
export type Way = (typeof ways)[number] | 'argus-region';

/** One thing that is done to the two regions, so many milliseconds after the begin. */
export type GuardEvent = { readonly atMs: number } & (
  | { readonly kind: 'cut' | 'heal'; readonly way: Way }
  /** The primary's region and its guard stand still, or go on. */
  | { readonly kind: 'freeze' }
  /** `whenDone`: not before the failover is done, whatever that takes; what follows keeps its distance. */
  | { readonly kind: 'thaw'; readonly whenDone?: true }
  /** The primary's guard is killed, and another one started. */
  | { readonly kind: 'restart-guard' }
  | { readonly kind: 'failover' }
);

/** A sequence of them, at whose end every way is healed and nothing stands still. */
export interface GuardSchedule {
  /** Absent: made by hand. */
  readonly seed?: number;
  readonly lengthMs: number;
  readonly events: readonly GuardEvent[];
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The schedule of a seed. Pure: the same seed gives the same one. */
export function guardSchedule(seed: number, lengthMs: number): GuardSchedule {
  const random = randomOf(seed);
  const between = (from: number, to: number) => Math.round((from + random() * (to - from)) * lengthMs);
  const span = (latest: number, shortest: number, longest: number): Span => {
    const fromMs = between(0, latest);
    return { fromMs, toMs: Math.min(lengthMs, fromMs + between(shortest, longest)) };
  };
  const failoverAtMs = between(0.05, 0.35);
  // Its guard finds a region that was taken over while it stood still.
  const sleepsThrough = random() < 0.25;
  const oneOfStandby: Way = random() < 0.5 ? 'standby-state' : 'standby-witness';
  const cuts = new Map<Way, Span[]>();
  const cut = (way: Way, when: Span) => cuts.set(way, [...(cuts.get(way) ?? []), when]);
  // A primary that Argus reaches is denied by it; the guard's part begins where it does not.
  if (random() < 0.75) cut('argus-region', { fromMs: between(0, failoverAtMs / lengthMs), toMs: lengthMs });
  const isDark = random() < 0.4;
  const dark = { fromMs: between(0, failoverAtMs / lengthMs), toMs: between(0.6, 1) };
  for (const way of ['guard-state', 'guard-witness'] as const) {
    if (isDark) cut(way, dark);
    else if (random() < 0.7) cut(way, span(0.6, 0.1, 0.7));
  }
  if (random() < 0.3) cut('guard-state', span(0.8, 0.05, 0.2));
  if (!sleepsThrough && random() < 0.3) cut('argus-witness', span(0.5, 0.05, 0.2));
  if (random() < 0.4) cut(oneOfStandby, span(0.7, 0.05, 0.3));
  const asleep = { fromMs: between(0, failoverAtMs / lengthMs), toMs: between(0.5, 0.9) };
  const freezes = sleepsThrough ? [asleep] : joined(random() < 0.5 ? [span(0.5, 0.1, 0.75)] : []);
  const restarts = [0.35, 0.15].filter((chance) => random() < chance).map(() => between(0.1, 0.9));
  const events: GuardEvent[] = [{ atMs: failoverAtMs, kind: 'failover' }];
  for (const [way, spans] of cuts)
    for (const { fromMs, toMs } of joined(spans))
      events.push({ atMs: fromMs, kind: 'cut', way }, { atMs: toMs, kind: 'heal', way });
  for (const { fromMs, toMs } of freezes) {
    const whenDone = sleepsThrough ? ({ whenDone: true } as const) : {};
    events.push({ atMs: fromMs, kind: 'freeze' }, { atMs: toMs, kind: 'thaw', ...whenDone });
  }
  // Where all stands still, nothing is started either.
  for (const atMs of restarts)
    if (!freezes.some((f) => atMs >= f.fromMs && atMs <= f.toMs)) events.push({ atMs, kind: 'restart-guard' });
  return { seed, lengthMs, events: events.toSorted((a, b) => a.atMs - b.atMs) };
}

/** A schedule in one line, for the log of a test. Pure. */
export function describeSchedule({ seed, events }: GuardSchedule): string {
  const words = events.map(
    (e) =>
      `${(e.atMs / 1_000).toFixed(1)} ${e.kind}${'way' in e ? ` ${e.way}` : ''}${'whenDone' in e ? ' when done' : ''}`,
  );
  return `${seed === undefined ? 'by hand' : `seed ${seed}`}: ${words.join(', ')}`;
}

/** Spans that overlap, as one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = result.at(-1);
    if (last === undefined || span.fromMs > last.toMs) result.push(span);
    else result[result.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
  }
  return result;
}

/** Numbers from 0 to below 1 by a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
