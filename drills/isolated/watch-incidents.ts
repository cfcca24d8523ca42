import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type LeaseDocument, readLease } from '../../state/lease.ts';
import { readSighting, type Sighting } from '../../state/sightings.ts';

/** How often it is looked whether somebody acts on the regions. */
const lookMs = 1_500;

/** A primary that is silent for so long is an incident: one look that failed is none. */
const silentMs = 10_000;

/**
 * Why a drill has to make way: somebody acts on the regions, or the primary fell silent since the drill began. One that
 * was begun while it was silent goes on. Pure; undefined: all is calm.
 */
export function reasonToYield(
  lease: Pick<LeaseDocument, 'holder' | 'purpose' | 'run' | 'released'> | undefined,
  sighting: Sighting | undefined,
  { primary, silentAtStart }: { readonly primary: string; readonly silentAtStart: boolean },
): string | undefined {
  if (lease !== undefined && lease.released !== true) {
    return `${lease.holder} is at work: ${lease.purpose}${lease.run === undefined ? '' : ` ${lease.run}`}`;
  }
  if (silentAtStart || sighting?.firstFailureAtMs === undefined) return undefined;
  const forMs = (sighting.checkedAtMs ?? sighting.atMs) - sighting.firstFailureAtMs;
  return forMs < silentMs
    ? undefined
    : `${primary} does not answer since ${new Date(sighting.firstFailureAtMs).toISOString()}`;
}

/** Refuses (`LeaseHeld`, exit code 3) to begin a drill beside whoever acts on the regions. */
export async function requireNobodyActs(state: ObjectStore, signal: AbortSignal): Promise<void> {
  const lease = await readLease(state, { signal });
  if (lease === undefined || lease.released === true) return;
  const { holder, purpose, run } = lease;
  throw new ArgusError('LeaseHeld', `${holder} is at work: ${purpose}${run === undefined ? '' : ` ${run}`}`, {
    hint: `no drill is begun beside it: see \`argus runs show ${run ?? '<run>'}\`, wait for it to end, or end it: \`argus runs abort ${run ?? '<run>'}\``,
    exitCode: 3,
  });
}

/** Looks until `ended`, and calls `yieldTo` once when the drill has to make way. A state that can't be read says nothing. */
export async function watchIncidents(
  {
    state,
    clock,
    primary,
    silentAtStart,
  }: {
    readonly state: ObjectStore;
    readonly clock: Clock;
    readonly primary: string;
    /** It didn't answer when the drill was begun. */
    readonly silentAtStart: boolean;
  },
  ended: AbortSignal,
  yieldTo: (why: string) => void,
): Promise<void> {
  while (!ended.aborted) {
    try {
      const signal = AbortSignal.any([ended, AbortSignal.timeout(10_000)]);
      const [lease, seen] = await Promise.all([readLease(state, { signal }), readSighting(state, primary, { signal })]);
      const why = reasonToYield(lease, seen, { primary, silentAtStart });
      if (why !== undefined && !ended.aborted) return yieldTo(why);
    } catch {
      // The next look tells; the drill's own lease lies in the same state, and is lost when that stays silent.
    }
    await clock.sleep(lookMs, ended).catch(() => undefined);
  }
}
