/** The two regions by the role that they begin with. */
export type Side = 'old' | 'new';

/** One write of an observer who belongs to neither region; times of one monotonic clock. */
export interface Observation {
  readonly side: Side;
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** `unknown`: no answer, or none that says whether the broker took it. */
  readonly kind: 'writable' | 'denied' | 'unknown';
}

/** What Argus said of a failover that it calls done. */
export interface DoneFailover {
  readonly doneAtMs: number;
  /** `kafkaFencing.kind` of its report. */
  readonly fencing: 'proven' | 'partial' | 'none' | 'unproven' | undefined;
}

/** One record as an independent client read it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** From one time up to another, of the clock of the observations. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const stepMs = 100;

/**
 * When two writable sides are explained: so long after a thaw of the old side, and while no guard ran there (from its
 * kill until the next one was up) with the same time for that one. Pure.
 */
export function explainedSpans(
  thawedAtMs: readonly number[],
  unguarded: readonly Span[],
  afterMs: number,
): readonly Span[] {
  const spans = [...thawedAtMs.map((at) => ({ fromMs: at, toMs: at })), ...unguarded];
  return spans.map(({ fromMs, toMs }) => ({ fromMs: fromMs - stepMs, toMs: toMs + afterMs }));
}

/**
 * Steps of 100 ms in which both sides took writes, as milliseconds of the clock, but for those that are explained. Pure.
 * Empty: there never were two writable sides.
 */
export function bothWritable(observations: readonly Observation[], explained: readonly Span[]): readonly number[] {
  const steps = (side: Side) =>
    new Set(
      observations
        .filter((o) => o.side === side && o.kind === 'writable')
        .map((o) => Math.floor(o.endedAtMs / stepMs) * stepMs),
    );
  const news = steps('new');
  const isExplained = (at: number) => explained.some(({ fromMs, toMs }) => at >= fromMs && at < toMs);
  return [...steps('old')].filter((at) => news.has(at) && !isExplained(at)).sort((a, b) => a - b);
}

/** How long after a thaw the old side still took writes beside the new one, at most; 0: it never did. Pure. */
export function longestAfterThaw(observations: readonly Observation[], thawedAtMs: readonly number[]): number {
  const firstNew = Math.min(
    ...observations.filter((o) => o.side === 'new' && o.kind === 'writable').map((o) => o.endedAtMs),
  );
  const late = observations.filter((o) => o.side === 'old' && o.kind === 'writable' && o.endedAtMs > firstNew);
  const since = late.map(({ endedAtMs }) => endedAtMs - Math.max(...thawedAtMs.filter((thaw) => thaw <= endedAtMs)));
  return Math.max(0, ...since.filter(Number.isFinite));
}

/** What speaks against a failover that is called done, by what the observers saw until `untilMs`. Pure. */
export function falseSuccess(
  { doneAtMs, fencing }: DoneFailover,
  observations: readonly Observation[],
  untilMs: number,
): readonly string[] {
  const wrong: string[] = [];
  const after = (side: Side) => observations.filter((o) => o.side === side && o.sentAtMs >= doneAtMs);
  const last = after('new').filter((o) => o.endedAtMs <= untilMs);
  if (!last.some((o) => o.kind === 'writable')) wrong.push('the new primary took no write after it was done');
  const took = after('old').filter((o) => o.kind === 'writable').length;
  if ((fencing === 'proven' || fencing === 'partial') && took > 0)
    wrong.push(`the old primary took ${took} writes after it was done, and was called shut (${fencing})`);
  if (fencing === undefined) wrong.push('nothing is said of the old primary');
  return wrong;
}

/** What both logs hold, beside what Argus says of them. */
export interface Logs {
  readonly old: readonly ReadRecord[];
  readonly new: readonly ReadRecord[];
  /** Where the promotion was, by partition. */
  readonly promotedAt: ReadonlyMap<number, number>;
  /** Records that Argus counts on the old side beyond it. */
  readonly counted: number;
  /** Values that were sent to the old side, and to no other. */
  readonly sentToOld: ReadonlySet<string>;
  /** Those of them that it acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
}

/**
 * What is wrong with the logs: a record below the promotion that differs, one beyond it that Argus doesn't count, one
 * that the mirror still brought, one that was acknowledged and is nowhere. Pure.
 */
export function wrongLogs(logs: Logs): readonly string[] {
  const { old, new: active, promotedAt, counted, sentToOld, acknowledged } = logs;
  const wrong: string[] = [];
  const key = ({ partition, offset }: ReadRecord) => `${partition} ${offset}`;
  const isBelow = (r: ReadRecord) => r.offset < (promotedAt.get(r.partition) ?? 0);
  const there = new Map(active.map((r) => [key(r), r.value]));
  for (const record of old.filter(isBelow))
    if (there.get(key(record)) !== record.value) wrong.push(`${key(record)} is not what it is on the new primary`);
  const beyond = old.filter((r) => !isBelow(r));
  if (beyond.length !== counted) wrong.push(`${beyond.length} records beyond the promotion, and ${counted} counted`);
  for (const record of active)
    if (!isBelow(record) && sentToOld.has(record.value)) wrong.push(`${key(record)} came after the promotion`);
  const all = new Set(old.map((r) => r.value));
  const lost = [...acknowledged].filter((value) => !all.has(value));
  if (lost.length > 0) wrong.push(`${lost.length} records were acknowledged and are nowhere`);
  return wrong;
}
