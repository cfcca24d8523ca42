import type { AutomaticSettings } from '../domain/automatic-config.ts';
import { type HeardReport, type ObserverPicture, pictureOf, tallyOf } from './observer-picture.ts';
import { type Condition, conditionsOf } from './verdict-conditions.ts';
import { type VerdictCode, type VerdictSeverity, verdictTable } from './verdict-table.ts';

/** What is said of the regions, with why. */
export interface Verdict {
  readonly code: VerdictCode;
  /** Which of several of the same code: the observer, the job, the name. */
  readonly subject?: string;
  readonly severity: VerdictSeverity;
  /** Since when, by this machine's wall clock. */
  readonly sinceMs: number;
  /** It is so at this instant; false: it was, and is not over for long enough to be withdrawn. */
  readonly holds: boolean;
  /** So long it has been so without a break, as this process and the observers both have it; 0 when it doesn't hold. */
  readonly heldMs: number;
  readonly sentence: string;
  readonly evidence: readonly string[];
  /** A graver verdict that explains this one. */
  readonly partOf?: VerdictCode;
}

export interface VerdictInput {
  /** This process' clocks. */
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly reports: readonly HeardReport[];
  readonly primary: string;
  readonly standby: string;
  readonly settings: AutomaticSettings;
  /** Why a failover would be refused now; absent: nobody knows. */
  readonly notReady?: readonly string[];
}

interface Tracked {
  readonly condition: Condition;
  /** By the monotonic clock: since when it holds, or no more does. */
  readonly holdsFrom?: number;
  readonly overFrom?: number;
  readonly sinceMs: number;
  readonly raised: boolean;
}

/** What has to be known of before, to judge now. */
export interface VerdictMemory {
  readonly atMs?: number;
  readonly regions?: string;
  readonly tracked: ReadonlyMap<string, Tracked>;
  /** By observer: whether it found the primary's Kafka well, and when that ended. */
  readonly kafka: ReadonlyMap<string, { readonly well: boolean; readonly wentAt: readonly number[] }>;
  /** Since when nothing is wrong and a majority finds the primary alive, by the wall clock. */
  readonly wellSinceMs?: number;
}

/** Nothing is known of before. */
export const noMemory: VerdictMemory = { tracked: new Map(), kafka: new Map() };

/** As what a daemon reports that is none of the configured observers: it has no vote. */
export const witnessName = 'daemon';

const flapWindowMs = 5 * 60_000;

/** Who wasn't asked for so long slept. Calls to a slow state are over sooner, and must not make an outage begin anew. */
const sleptMs = 30_000;

/**
 * What the reports of all observers amount to, the gravest first; none while nobody can tell. Pure: the same reports at
 * the same instants give the same verdicts.
 *
 * A condition becomes a verdict when it holds for `hysteresis.raise` and stays one until it is over for `clear`. Who was
 * not asked for long (a process that slept) begins anew: nobody knows what was between. After a shorter pause `heldMs` is
 * still no more than the observers' own looks say.
 */
export function judge(
  before: VerdictMemory,
  input: VerdictInput,
): { readonly memory: VerdictMemory; readonly verdicts: readonly Verdict[] } {
  const { monotonicMs, settings, primary, standby } = input;
  const regions = `${primary} ${standby}`;
  const slept = before.atMs !== undefined && monotonicMs - before.atMs > Math.max(settings.stale, sleptMs);
  const known = slept || (before.regions !== undefined && before.regions !== regions) ? noMemory : before;
  const pictures = pictureOf(input, monotonicMs);
  const witness = input.reports.find(
    ({ report, heardAtMs }) => report.observer === witnessName && monotonicMs - heardAtMs <= settings.stale,
  );
  const kafka = followKafka(known.kafka, pictures, primary, monotonicMs);
  const conditions = conditionsOf({
    pictures,
    primary,
    standby,
    settings,
    flaps: flapsOf(kafka, pictures.length),
    ...(input.notReady === undefined ? {} : { notReady: input.notReady }),
    ...(witness && {
      witness: {
        name: witnessName,
        looks: witness.report.seen,
        atMs: witness.report.atMs + Math.max(0, monotonicMs - witness.heardAtMs),
      },
    }),
  });
  const tracked = track(known.tracked, conditions, input);
  const verdicts = verdictsOf(tracked, input);
  const { alive, majority } = tallyOf(pictures, primary);
  const well = verdicts.length === 0 && tracked.size === 0 && alive.length >= majority;
  const wellSinceMs = well ? (known.wellSinceMs ?? input.nowMs) : undefined;
  return {
    memory: { atMs: monotonicMs, regions, tracked, kafka, ...(wellSinceMs === undefined ? {} : { wellSinceMs }) },
    verdicts: wellSinceMs === undefined ? verdicts : [allWell(wellSinceMs, input.nowMs)],
  };
}

const keyOf = ({ code, subject }: Pick<Condition, 'code' | 'subject'>) => `${code} ${subject ?? ''}`;

function track(
  before: ReadonlyMap<string, Tracked>,
  conditions: readonly Condition[],
  { monotonicMs, nowMs, settings }: VerdictInput,
): ReadonlyMap<string, Tracked> {
  const { raise, clear } = settings.hysteresis;
  const next = new Map<string, Tracked>();
  for (const condition of conditions) {
    const was = before.get(keyOf(condition));
    const holdsFrom = was?.holdsFrom ?? monotonicMs;
    const raised = was?.raised === true || monotonicMs - holdsFrom >= raise;
    const sinceMs = was?.raised || was?.holdsFrom !== undefined ? was.sinceMs : nowMs;
    next.set(keyOf(condition), { condition, holdsFrom, sinceMs, raised });
  }
  for (const [key, was] of before) {
    if (next.has(key) || !was.raised) continue;
    const overFrom = was.overFrom ?? monotonicMs;
    if (monotonicMs - overFrom < clear)
      next.set(key, { condition: was.condition, overFrom, sinceMs: was.sinceMs, raised: true });
  }
  return next;
}

/** What a graver one of the same subject says already. */
const supersededBy: Readonly<Partial<Record<VerdictCode, readonly VerdictCode[]>>> = {
  PrimaryUnreachable: ['PrimaryDead'],
  PrimaryUnconfirmed: ['PrimaryDead', 'PrimaryUnreachable', 'BothDead'],
  PrimaryPartlyReachable: ['PrimaryDead', 'PrimaryUnreachable', 'BothDead'],
  StandbyDead: ['BothDead'],
  StandbyNotReady: ['StandbyDead', 'BothDead'],
};

function allWell(sinceMs: number, nowMs: number): Verdict {
  const sentence = 'both regions answer, and nothing is found wrong';
  return { code: 'AllWell', severity: 'ok', sinceMs, holds: true, heldMs: nowMs - sinceMs, sentence, evidence: [] };
}

function verdictsOf(tracked: ReadonlyMap<string, Tracked>, { monotonicMs }: VerdictInput): readonly Verdict[] {
  const raised = [...tracked.values()].filter((t) => t.raised);
  const stands = new Map(raised.map((t) => [t.condition.code, t.holdsFrom !== undefined]));
  // One that holds is told though a graver one stands that doesn't any more.
  const isHidden = ({ condition, holdsFrom }: Tracked) =>
    supersededBy[condition.code]?.some(
      (code) => stands.get(code) === true || (stands.has(code) && holdsFrom === undefined),
    );
  const verdicts = raised
    .filter((t) => !isHidden(t))
    .map(({ condition, holdsFrom, sinceMs }): Verdict => {
      const { code, subject, sentence, evidence, forMs, partOf } = condition;
      const held = holdsFrom === undefined ? 0 : monotonicMs - holdsFrom;
      return {
        code,
        severity: verdictTable[code].severity,
        sinceMs,
        holds: holdsFrom !== undefined,
        heldMs: Math.min(held, forMs ?? held),
        sentence,
        evidence,
        ...(subject === undefined ? {} : { subject }),
        ...(partOf === undefined ? {} : { partOf }),
      };
    });
  return verdicts.toSorted((a, b) => rank(a) - rank(b));
}

const severities: readonly VerdictSeverity[] = ['critical', 'warning', 'info', 'ok'];
const rank = ({ severity, partOf }: Verdict) => severities.indexOf(severity) + (partOf === undefined ? 0 : 10);

function followKafka(
  before: VerdictMemory['kafka'],
  pictures: readonly ObserverPicture[],
  primary: string,
  monotonicMs: number,
): VerdictMemory['kafka'] {
  return new Map(
    pictures.map(({ name, looks }) => {
      const was = before.get(name) ?? { well: false, wentAt: [] };
      const look = looks.find((l) => l.probe === 'kafka' && l.region === primary);
      const well = look === undefined ? was.well : look.status === 'ok';
      const lately = was.wentAt.filter((at) => monotonicMs - at <= flapWindowMs);
      return [name, { well, wentAt: was.well && !well ? [...lately, monotonicMs] : lately }];
    }),
  );
}

/** So often as a majority saw it go. */
function flapsOf(kafka: VerdictMemory['kafka'], configured: number): number {
  const counts = [...kafka.values()].map((k) => k.wentAt.length).toSorted((a, b) => b - a);
  return counts[Math.floor(configured / 2)] ?? 0;
}
