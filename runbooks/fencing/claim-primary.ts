import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type GuardWord, placeOf, putClaim, readGuardWord, withdrawClaim } from '../../state/guard.ts';
import { type ClaimVerdict, decideClaim } from './decide-guard.ts';

/** What a failover needs to have a region shut by its own guard. */
export interface GuardLink {
  readonly witness: ObjectStore;
  /** Longer than the guard's TTL and the skew of clocks together. */
  readonly leaseMs: number;
}

interface Claimed {
  readonly state: ObjectStore;
  readonly guard: GuardLink;
  /** The region that can't be reached, which is primary in the roles of this epoch. */
  readonly region: string;
  readonly rolesEpoch: number;
  /** The run that claims it. */
  readonly run: string;
}

/**
 * Leaves the claim in both places; fails where either can't be written, or was never used by a guard
 * (`GuardPlaceUnknown`): an empty folder where the witness should be mounted. Idempotent.
 */
export async function claimPrimary(
  { state, guard, region, rolesEpoch, run }: Claimed,
  { by, atMs }: { readonly by: string; readonly atMs: number },
  signal: AbortSignal,
): Promise<void> {
  for (const place of [state, guard.witness]) {
    if ((await placeOf(place, '', { signal })) === undefined) {
      throw new ArgusError('GuardPlaceUnknown', `no guard has ever used ${place.uri}: a claim there would reach none`, {
        hint: 'is it the right place, and is it mounted? does `argus guard` run?',
      });
    }
  }
  // The state first: a guard that starts anew opens what was shut as soon as the state tells of no claim.
  for (const place of [state, guard.witness]) {
    await putClaim(place, region, rolesEpoch, { run, by, atMs }, { signal });
  }
}

/** Takes the claim back in both places: the guard may open the region again. Idempotent. */
export async function unclaimPrimary(
  { state, guard, region, rolesEpoch }: Claimed,
  signal: AbortSignal,
): Promise<void> {
  for (const place of [guard.witness, state]) await withdrawClaim(place, region, rolesEpoch, { signal });
}

/** How this run's claim stands; the word for it counts wherever it can be read, one for another run nowhere. */
export async function lookAtClaim(
  { state, guard, region, rolesEpoch, run }: Claimed,
  at: { readonly claimedAtMs: number | undefined; readonly nowMs: number },
  signal: AbortSignal,
): Promise<{ readonly verdict: ClaimVerdict; readonly word: GuardWord | undefined }> {
  const asked = await Promise.allSettled(
    [state, guard.witness].map((place) => readGuardWord(place, region, rolesEpoch, { signal })),
  );
  signal.throwIfAborted();
  const word = asked.map((a) => (a.status === 'fulfilled' ? a.value : undefined)).find((w) => w?.run === run);
  const { claimedAtMs, nowMs } = at;
  const verdict = decideClaim({
    nowMs,
    leaseMs: guard.leaseMs,
    ...(claimedAtMs === undefined ? {} : { claimedAtMs }),
    ...(word === undefined ? {} : { word: word.proof }),
  });
  return { verdict, word };
}
