import { ArgusError } from '../../domain/errors.ts';
import type { Json } from '../../state/journal.ts';
import type { Sighting } from '../../state/sightings.ts';

/** The instant from which the outage counts, and who says so. */
export interface Outage {
  readonly atMs: number;
  readonly source: 'operator' | 'first-failed-probe' | 'run-start';
  /**
   * The primary is dark and nobody watched it: the outage may have begun this early. Null: nobody ever saw it. Absent:
   * `atMs` is known.
   */
  readonly earliestAtMs?: number | null;
}

export interface OutageView {
  readonly statedAtMs?: number;
  /** Of the run that is gone on with. */
  readonly resumed?: Outage;
  /** Nothing of that run is taken back any more: it is that outage's, whatever was seen since. */
  readonly pastReturn?: boolean;
  readonly sighting?: Pick<Sighting, 'atMs' | 'checkedAtMs' | 'firstFailureAtMs'> | undefined;
  /** The primary's Kafka answered just now. */
  readonly primaryAnswers: boolean;
  readonly nowMs: number;
}

/** A daemon that looked at the primary within this time is at work. */
const watchedMs = 10_000;

/**
 * When the outage began: what the operator states, else what the run that is gone on with counted from, else the
 * daemon's first failed probe, else now. Where the run counted from such a probe, and the primary answered and failed anew
 * since, it is the newer one, unless nothing of the run is taken back any more. A failure that a daemon left behind which
 * has ended is not this outage's when the primary answers again. Pure. An instant that is still to come is `OutageInFuture`, exit code 2.
 */
export function outageOf(view: OutageView): Outage {
  const { statedAtMs, resumed, sighting, nowMs } = view;
  if (statedAtMs !== undefined) {
    if (statedAtMs > nowMs) {
      throw new ArgusError('OutageInFuture', `--outage-at ${new Date(statedAtMs).toISOString()} is still to come`, {
        exitCode: 2,
        hint: `it is ${new Date(nowMs).toISOString()} here; an instant without a zone is local time, end it with Z for UTC`,
      });
    }
    return { atMs: statedAtMs, source: 'operator' };
  }
  if (resumed !== undefined && (view.pastReturn === true || !failedAnew(resumed, sighting))) return resumed;
  const lastLookMs = sighting && (sighting.checkedAtMs ?? sighting.atMs);
  const watched = lastLookMs !== undefined && nowMs - lastLookMs < watchedMs;
  if (sighting?.firstFailureAtMs !== undefined && (watched || !view.primaryAnswers)) {
    return { atMs: sighting.firstFailureAtMs, source: 'first-failed-probe' };
  }
  const started: Outage = { atMs: nowMs, source: 'run-start' };
  if (watched || view.primaryAnswers) return started;
  return { ...started, earliestAtMs: sighting !== undefined && sighting.atMs > 0 ? sighting.atMs : null };
}

/** An answer clears the first failure: a newer one is of an outage after it. */
const failedAnew = ({ atMs, source }: Outage, sighting: OutageView['sighting']) =>
  source === 'first-failed-probe' && sighting?.firstFailureAtMs !== undefined && sighting.firstFailureAtMs > atMs;

/** The outage in the details that a run was started with; undefined when they hold none. Pure. */
export function outageIn(details: Json): Outage | undefined {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return undefined;
  const { outageAtMs: atMs, outageSource: source, outageEarliestAtMs: earliestAtMs } = details;
  if (typeof atMs !== 'number') return undefined;
  return {
    atMs,
    source: source === 'operator' || source === 'first-failed-probe' ? source : 'run-start',
    ...(typeof earliestAtMs === 'number' || earliestAtMs === null ? { earliestAtMs } : {}),
  };
}
