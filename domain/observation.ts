/** What is looked at. Each is a file of `health/probes/`. */
export type ProbeName =
  | 'kafka'
  | 'kafka-write'
  | 'objects'
  | 'flink'
  | 'job'
  | 'kubernetes'
  | 'dns'
  | 'ingress'
  | 'mirror'
  | 'checkpoints'
  | 'heartbeat'
  | 'clock'
  | 'expiry'
  | 'state';

/**
 * One look of one observer at one thing. `failed`: it answered, and that is bad, or the connection was refused or reset.
 * `unknown`: no answer in time, so nothing can be said.
 */
export interface Observation {
  readonly observer: string;
  readonly probe: ProbeName;
  /** Absent where it is not of one region: names, the state. */
  readonly region?: string;
  /** Which of several: the job, the name at a resolver, the certificate. */
  readonly subject?: string;
  /** By the observer's wall clock. */
  readonly atMs: number;
  readonly status: 'ok' | 'failed' | 'unknown';
  readonly latencyMs: number;
  /** Why it is not ok, as a sentence for people. */
  readonly reason?: string;
  readonly code?: string;
}

/** The newest look at one thing, and since when it is so. */
export interface Seen extends Observation {
  /** The first look of the present status. */
  readonly sinceMs: number;
  /** The newest look that was ok; absent: none ever was. */
  readonly lastOkAtMs?: number;
}

/**
 * What one observer saw lately. All instants are of its own wall clock, so only their differences mean something to
 * others: `atMs - sinceMs`.
 */
export interface ObserverReport {
  readonly observer: string;
  /** Where it stands: a region's name, or `outside`. */
  readonly place: string;
  readonly atMs: number;
  /** Grows with each report of one process: a reader tells a new report from an old one by it. */
  readonly sequence: number;
  readonly seen: readonly Seen[];
}

/** What two looks at the same thing have in common. Pure. */
export const seenKey = ({ probe, region, subject }: Pick<Observation, 'probe' | 'region' | 'subject'>): string =>
  [probe, region ?? '', subject ?? ''].join('|');

/** What is seen of a thing after one more look at it. Pure. */
export function afterLook(before: Seen | undefined, look: Observation): Seen {
  const sinceMs = before?.status === look.status ? before.sinceMs : look.atMs;
  const lastOkAtMs = look.status === 'ok' ? look.atMs : before?.lastOkAtMs;
  return { ...look, sinceMs, ...(lastOkAtMs === undefined ? {} : { lastOkAtMs }) };
}
