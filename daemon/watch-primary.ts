import type { Clock } from '../domain/clock.ts';
import type { Roles } from '../domain/roles.ts';
import { probe } from '../health/probe.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import { putSighting, readSighting, type Sighting } from '../state/sightings.ts';
import type { Log } from './log.ts';
import { sightLook, sightMirror } from './sight.ts';
import { every } from './supervise.ts';

export interface WatchOptions {
  readonly regions: ReadonlyMap<string, Region>;
  readonly topics: readonly string[];
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly roles: () => Roles | undefined;
  readonly periodMs?: number;
}

/** Looks at the primary's Kafka each second and keeps the last sighting of it in the state. */
export interface Watch {
  /** News of the mirror; the next sighting holds them. */
  see(status: MirrorStatus): void;
  /** Of the newest look; undefined before the first. */
  readonly primaryReachable: boolean | undefined;
  readonly lastLookAtMs: number | undefined;
  run(signal: AbortSignal): Promise<void>;
}

export function watchPrimary(options: WatchOptions): Watch {
  const { regions, state, clock, log } = options;
  let sighting: Sighting | undefined;
  let read: string | undefined;
  let mirrorFailedAtMs: number | undefined;
  let reachable: boolean | undefined;
  let lastLookAtMs: number | undefined;

  async function tick(signal: AbortSignal): Promise<void> {
    const primary = options.roles()?.primary;
    const region = primary === undefined ? undefined : regions.get(primary);
    if (primary === undefined || !region) return;
    const atMs = clock.now();
    const look = await probe((call) => region.kafka.describeTopics(options.topics, call), { clock, signal });
    if (signal.aborted || options.roles()?.primary !== primary) return;
    const ok = look.status === 'ok';
    if (reachable !== ok) {
      if (ok) log.info({ region: primary }, `Kafka of ${primary} answers`);
      else log.warn({ region: primary }, `Kafka of ${primary} can't be reached: ${look.reason ?? 'no answer'}`);
    }
    reachable = ok;
    // An answer ends every failure that was met before it; a mirror that still fails says so again.
    if (ok) mirrorFailedAtMs = undefined;
    lastLookAtMs = atMs;
    try {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
      if (read !== primary) {
        // A daemon that begins while the primary is dark goes on from what the one before it saw.
        const before = await readSighting(state, primary, call);
        if (before && (sighting?.region !== primary || sighting.atMs < before.atMs)) sighting = before;
        read = primary;
      }
      sighting = sightLook(sighting, primary, {
        atMs,
        ok,
        ...(mirrorFailedAtMs === undefined ? {} : { mirrorFailedAtMs }),
      });
      await putSighting(state, sighting, call);
    } catch (error) {
      if (!signal.aborted) log.debug({ error: String(error) }, "the sighting can't be kept now");
    }
  }

  return {
    see(status) {
      const primary = options.roles()?.primary;
      if (primary === undefined || status.source.region !== primary) return;
      mirrorFailedAtMs = status.source.firstFailureAtMs;
      if (read === primary) sighting = sightMirror(sighting, primary, status);
    },
    get primaryReachable() {
      return reachable;
    },
    get lastLookAtMs() {
      return lastLookAtMs;
    },
    run: (signal) => every(options.periodMs ?? 1_000, () => tick(signal), clock, signal),
  };
}
