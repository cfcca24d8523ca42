import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { Lease, LeaseAnswer } from '../state/lease.ts';
import { followRoles } from './follow-roles.ts';
import type { Log } from './log.ts';
import { contendForLead } from './replication-lease.ts';
import { shareLead } from './share-lead.ts';
import { shareMember } from './share-member.ts';

export interface ShareMirrorParts {
  readonly config: Config;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** `user@host (pid n)`, for people. */
  readonly holder: string;
  /** Of this process' own partitions. */
  readonly onStatus: (status: MirrorStatus) => void;
}

const contendPaceMs = 500;

/**
 * Mirrors as one of several processes, until the signal; one of them at a time leads, which all contend for.
 * `AlreadyReplicating` (exit code 3): somebody mirrors who doesn't share.
 */
export async function shareMirror(parts: ShareMirrorParts, signal: AbortSignal): Promise<void> {
  const { config, state, clock, log, holder } = parts;
  const { group } = config.mirror.share;
  const stopping = new AbortController();
  const running = AbortSignal.any([signal, stopping.signal]);
  // Nothing is begun before a lead was seen alive, or this process leads itself.
  const first = await contendForLead(parts, group, running);
  const trustedFrom = first.kind === 'acquired' ? first.lease.epoch : first.by.epoch;
  const member = shareMember({ ...parts, who: holder, group, trustedFrom });
  const follow = { state, clock, log, confirms: false, replicator: member, onFreeze: member.onFreeze };
  const tasks = [followRoles(follow, running), lead(parts, group, first, running)];
  try {
    await Promise.race(tasks);
  } finally {
    stopping.abort();
    await Promise.allSettled(tasks);
  }
  // Why it ended, where nobody asked for it.
  if (!signal.aborted) await Promise.all(tasks);
}

/** Leads whenever it may; else waits for that. */
async function lead(parts: ShareMirrorParts, group: string, first: LeaseAnswer, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  let answer: LeaseAnswer | undefined = first;
  let said: string | undefined;
  while (!signal.aborted) {
    if (answer?.kind === 'acquired') await leadUnder(answer.lease, parts, group, signal);
    await clock.sleep(contendPaceMs, signal).catch(() => undefined); // Aborted: the loop's condition ends it.
    if (signal.aborted) return;
    answer = undefined;
    try {
      answer = await contendForLead(parts, group, signal);
      said = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ArgusError && error.code === 'AlreadyReplicating') throw error;
      const why = describeError(error);
      if (why !== said) log.warn({}, `who leads can't be told: ${why}`);
      said = why;
    }
  }
}

async function leadUnder(lease: Lease, parts: ShareMirrorParts, group: string, signal: AbortSignal): Promise<void> {
  const { state, clock, log } = parts;
  const stopRenewing = lease.keepRenewed();
  const replicator = shareLead({ ...parts, group, lease });
  try {
    await followRoles({ state, clock, log, replicator, confirms: true }, AbortSignal.any([signal, lease.signal]));
  } finally {
    await stopRenewing();
    if (signal.aborted) await lease.release({ signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
    else log.warn({}, 'this process leads no more; it goes on with its part');
  }
}
