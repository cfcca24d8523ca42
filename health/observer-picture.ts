import type { AutomaticSettings, ObserverConfig } from '../domain/automatic-config.ts';
import type { ObserverReport, ProbeName, Seen } from '../domain/observation.ts';

/** A report, and when it came, by the reader's monotonic clock: when this `sequence` was first read. */
export interface HeardReport {
  readonly report: ObserverReport;
  readonly heardAtMs: number;
}

/** How one observer finds a region. `unseen`: it didn't look, or not lately. */
export interface RegionSight {
  readonly kind: 'alive' | 'dark' | 'unseen';
  /** Its Kafka, and something besides, answered badly or refused: more than silence, and more than one part of it. */
  readonly refused: boolean;
  readonly notOkMs: number;
}

/** One of those who count, and what it says. */
export interface ObserverPicture {
  readonly name: string;
  readonly outside: boolean;
  /** A report that is not stale. */
  readonly heard: boolean;
  /** Since its last report; absent: there was none since this reader began. */
  readonly silentMs?: number;
  /** This instant by its own clock, as if its report had come without delay; absent: as above. */
  readonly atMs?: number;
  readonly looks: readonly Seen[];
  readonly sights: ReadonlyMap<string, RegionSight>;
  /** It is heard and finds every region dark, while another finds one alive: what it says of them doesn't count. */
  readonly blind: boolean;
}

/**
 * What tells that a region lives. The object store is not among these: a bucket outlives its region where the provider
 * keeps it elsewhere. A job is one only in the primary: elsewhere none should run.
 */
const lifeProbes: readonly ProbeName[] = ['kafka', 'kafka-write', 'flink', 'job', 'kubernetes', 'ingress'];

/** What each configured observer says at this instant of the reader's monotonic clock. Pure. */
export function pictureOf(
  view: {
    readonly reports: readonly HeardReport[];
    readonly primary: string;
    readonly standby: string;
    readonly settings: Pick<AutomaticSettings, 'observers' | 'stale'>;
  },
  monotonicMs: number,
): readonly ObserverPicture[] {
  const { reports, primary, standby, settings } = view;
  const pictures = settings.observers.map((observer) => {
    const found = reports.find((r) => r.report.observer === observer.name);
    return pictureOfOne(observer, found, [primary, standby], primary, settings.stale, monotonicMs);
  });
  return pictures.map((p) => ({ ...p, blind: isBlind(p, pictures) }));
}

function pictureOfOne(
  observer: ObserverConfig,
  found: HeardReport | undefined,
  regions: readonly string[],
  primary: string,
  staleMs: number,
  monotonicMs: number,
): Omit<ObserverPicture, 'blind'> {
  const outside = observer.place === 'outside';
  const { name } = observer;
  const silentMs = found && Math.max(0, monotonicMs - found.heardAtMs);
  const heard = silentMs !== undefined && silentMs <= staleMs;
  const looks = heard && found ? found.report.seen : [];
  // From the look's end to the report: a look that times out is seconds old when it ends, and the report has an age of its own.
  const fresh = (look: Seen) => found !== undefined && found.report.atMs - (look.atMs + look.latencyMs) <= staleMs;
  const sights = new Map(
    regions.map((region) => [
      region,
      sightOf(looks.filter((l) => l.region === region && fresh(l) && (l.probe !== 'job' || region === primary))),
    ]),
  );
  const instants = found && silentMs !== undefined ? { silentMs, atMs: found.report.atMs + silentMs } : {};
  return { name, outside, heard, looks, sights, ...instants };
}

/** For how long a thing has not been ok, by the observer's own looks; 0 while it is. Pure. */
export const notOkMs = (seen: Seen): number =>
  seen.status === 'ok' ? 0 : Math.max(0, seen.atMs - (seen.lastOkAtMs ?? seen.sinceMs));

const isKafka = (probe: ProbeName) => probe === 'kafka' || probe === 'kafka-write';

function sightOf(looks: readonly Seen[]): RegionSight {
  const life = looks.filter((l) => lifeProbes.includes(l.probe));
  if (life.some((l) => l.status === 'ok')) return { kind: 'alive', refused: false, notOkMs: 0 };
  const kinds = new Set(life.map((l) => l.probe));
  // Kafka alone may be down in a region that lives.
  if (!kinds.has('kafka') || [...kinds].every(isKafka)) return { kind: 'unseen', refused: false, notOkMs: 0 };
  const failed = life.filter((l) => l.status === 'failed').map((l) => l.probe);
  return {
    kind: 'dark',
    refused: failed.some(isKafka) && !failed.every(isKafka),
    notOkMs: Math.min(...life.map(notOkMs)),
  };
}

const finds = (p: Pick<ObserverPicture, 'sights'>, kind: RegionSight['kind']) =>
  [...p.sights.values()].some((s) => s.kind === kind);

function isBlind(one: Omit<ObserverPicture, 'blind'>, all: readonly Omit<ObserverPicture, 'blind'>[]): boolean {
  const seesNone = one.heard && finds(one, 'dark') && [...one.sights.values()].every((s) => s.kind === 'dark');
  return seesNone && all.some((other) => other !== one && finds(other, 'alive'));
}

/** How the observers who count find a region. */
export interface RegionTally {
  readonly dark: readonly ObserverPicture[];
  readonly refused: readonly ObserverPicture[];
  readonly alive: readonly ObserverPicture[];
  /** Of all who are configured, heard or not. */
  readonly majority: number;
  readonly configured: number;
  /** So many as make a majority have found it dark for at least this long. */
  readonly darkForMs: number;
}

/** Counts how a region is found. Pure. */
export function tallyOf(pictures: readonly ObserverPicture[], region: string): RegionTally {
  const counted = pictures.filter((p) => p.heard && !p.blind);
  const of = (kind: RegionSight['kind']) => counted.filter((p) => p.sights.get(region)?.kind === kind);
  const dark = of('dark');
  const majority = Math.floor(pictures.length / 2) + 1;
  const durations = dark.map((p) => p.sights.get(region)?.notOkMs ?? 0).toSorted((a, b) => b - a);
  return {
    dark,
    refused: dark.filter((p) => p.sights.get(region)?.refused === true),
    alive: of('alive'),
    majority,
    configured: pictures.length,
    darkForMs: durations[majority - 1] ?? 0,
  };
}
