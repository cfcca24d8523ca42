import type { Clock } from '../domain/clock.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { acquireLease, type Lease, type LeaseAnswer, type LeaseDocument, type LeaseRequest } from '../state/lease.ts';
import type { Log } from './log.ts';

const leaseKey = 'lease-daemon';
const leaseTtlMs = 15_000;
const sharePrefix = 'mirror run --share in group ';
/** So long those who share have to take over from one of them, before anybody else may. */
const sharePatienceMs = 5_000;

/** The right to mirror: one process at a time has it. `AlreadyReplicating` (exit code 3) names who does. */
export async function acquireReplicationLease(
  parts: { readonly state: ObjectStore; readonly clock: Clock; readonly holder: string },
  purpose: string,
  signal: AbortSignal,
): Promise<Lease> {
  const answer = await askForLease(parts, purpose, signal);
  if (answer.kind === 'acquired') return answer.lease;
  throw alreadyReplicating(answer.by);
}

function askForLease(
  parts: Parameters<typeof acquireReplicationLease>[0],
  purpose: string,
  signal: AbortSignal,
): Promise<LeaseAnswer> {
  const request: LeaseRequest = {
    key: leaseKey,
    holder: parts.holder,
    purpose,
    ttlMs: leaseTtlMs,
    waitMs: leaseTtlMs + sharePatienceMs + 3_000,
    patienceMs: (held) => (held.purpose.startsWith(sharePrefix) ? sharePatienceMs : 0),
  };
  return acquireLease(parts.state, request, parts.clock, { signal });
}

/**
 * The right to lead those who share the partitions. `held`: another of the same group leads, was seen alive, and under
 * which epoch. Held by somebody who doesn't share, or shares in another group: `AlreadyReplicating`.
 */
export async function contendForLead(
  parts: { readonly state: ObjectStore; readonly clock: Clock; readonly holder: string },
  group: string,
  signal: AbortSignal,
): Promise<LeaseAnswer> {
  const purpose = `${sharePrefix}${group}`;
  const request = { key: leaseKey, holder: parts.holder, purpose, ttlMs: leaseTtlMs, waitMs: leaseTtlMs + 3_000 };
  const answer = await acquireLease(parts.state, request, parts.clock, { signal });
  if (answer.kind === 'held' && answer.by.purpose !== purpose) throw alreadyReplicating(answer.by);
  return answer;
}

function alreadyReplicating(by: LeaseDocument): ArgusError {
  return new ArgusError('AlreadyReplicating', `${by.holder} replicates already (${by.purpose})`, {
    exitCode: 3,
    hint: by.purpose.startsWith(sharePrefix)
      ? 'stop it first, or join it: `argus mirror run --share` with the same `mirror.share.group`'
      : 'stop it first; one process at a time may mirror, unless all were started with --share',
  });
}

const retryMs = 2_000;

/** How often a daemon that waits for another one looks whether that one lives. */
const watchMs = 1_000;

/** As a daemon's lease names it. */
const daemonPurpose = 'daemon';

/**
 * As above, for a daemon. Beside another daemon it waits until that one leaves or dies; anything else that replicates
 * refuses it. One that had the right `again` and lost it since the state was away waits until the state is back; at its
 * first start it must not hide that the state can't be used.
 */
export async function awaitReplicationLease(
  parts: Parameters<typeof acquireReplicationLease>[0] & {
    readonly log: Log;
    readonly again: boolean;
    /** Told who leads, each time that he was seen alive. */
    readonly onHeld?: (holder: string) => void;
  },
  signal: AbortSignal,
): Promise<Lease> {
  let said: string | undefined;
  for (;;) {
    try {
      const answer = await askForLease(parts, daemonPurpose, signal);
      if (answer.kind === 'acquired') return answer.lease;
      if (answer.by.purpose !== daemonPurpose) throw alreadyReplicating(answer.by);
      const { holder } = answer.by;
      if (said !== holder)
        parts.log.info({ leader: holder }, `${holder} leads; this daemon observes, and waits for its place`);
      said = holder;
      parts.onHeld?.(holder);
      await parts.clock.sleep(watchMs, signal);
    } catch (error) {
      const final = error instanceof ArgusError && error.exitCode !== 1;
      if (signal.aborted || !(parts.again || said !== undefined) || final) throw error;
      const why = describeError(error);
      if (why !== said) parts.log.warn({}, `the right to replicate can't be asked for: ${why}; it is tried again`);
      said = why;
      await parts.clock.sleep(retryMs, signal);
    }
  }
}
