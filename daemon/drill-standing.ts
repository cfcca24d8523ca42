import type { DrillStanding } from '../drills/schedule/standing.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { readStanding } from '../state/decisions.ts';
import { drillState } from '../state/drills.ts';
import { readLease } from '../state/lease.ts';
import { readReadiness } from '../state/readiness.ts';
import { readRoles } from '../state/roles.ts';
import type { RunRecord } from '../state/run-record.ts';
import { readSighting } from '../state/sightings.ts';
import { newestRun } from './automatic-facts.ts';
import { watchLease } from './lease-watch.ts';

/** Reads how things stand for a drill; what can't be read is `unknown`, and not calm. */
export type LookAtStanding = (
  clocks: { readonly nowMs: number; readonly monotonicMs: number },
  call: { readonly signal: AbortSignal },
) => Promise<DrillStanding>;

/** The daemon works readiness out each minute, and tells verdicts each few seconds. */
const freshMs = { readiness: 5 * 60_000, verdicts: 2 * 60_000 };

/** Reads from the state; watches the leases over its calls. `observed`: somebody is configured to observe. */
export function standingOf(state: ObjectStore, observed: boolean): LookAtStanding {
  const lives = watchLease();
  const drillLives = watchLease();
  return async ({ nowMs, monotonicMs }, call) => {
    const [held, drill, run, roles, told, word] = await Promise.all([
      readLease(state, call),
      readLease(drillState(state), call),
      newestRun(state, call),
      readRoles(state, call),
      observed ? readStanding(state, call) : undefined,
      readReadiness(state, call),
    ]);
    const sighting = roles && (await readSighting(state, roles.primary, call));
    const fresh = (atMs: number, ms: number) => Math.abs(nowMs - atMs) <= ms;
    const ofNow = { primary: roles?.primary, standby: roles?.standby };
    const isOfNow = (of: { readonly primary: string; readonly standby: string }) =>
      of.primary === ofNow.primary && of.standby === ofNow.standby;
    return {
      acting: lives(held, monotonicMs) ? `${held.holder} (${held.purpose})` : undefined,
      drill: drillLives(drill, monotonicMs) ? (drill.run ?? drill.purpose) : undefined,
      unfinished: run && isHalfWay(run) ? run.run : undefined,
      replication: roles?.replication ?? 'unknown',
      primarySilentSinceMs: sighting?.firstFailureAtMs,
      verdicts: !observed
        ? 'none'
        : told !== undefined && fresh(told.atMs, freshMs.verdicts) && isOfNow(told)
          ? told.verdicts
          : 'unknown',
      readiness:
        word !== undefined && fresh(word.atMs, freshMs.readiness) && isOfNow(word)
          ? { status: word.status, sentence: word.sentence }
          : 'unknown',
    };
  };
}

/** Whether a run that changes roles left the regions half way: it has to be gone on with, or taken back. Pure. */
export const isHalfWay = ({ status, pastReturn, notTakenBack = [] }: RunRecord): boolean =>
  status === 'running' || (status !== 'done' && (pastReturn === true || notTakenBack.length > 0));
