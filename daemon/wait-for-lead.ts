import type { Roles } from '../domain/roles.ts';
import { type ActingWatch, unlessActed } from '../state/acting-watch.ts';
import type { Lease } from '../state/lease.ts';
import { readRoles } from '../state/roles.ts';
import { awaitReplicationLease } from './replication-lease.ts';
import { every } from './supervise.ts';

const lookMs = 1_000;
const lookDeadlineMs = 5_000;

/** A look of a daemon that waits: the roles as far as they can be read, and who leads, as far as that is known. */
export interface WaitingLook {
  readonly roles?: Roles;
  readonly leader?: string;
}

/**
 * The right to replicate and act. Of several daemons one has it: the others wait here, look at the roles each second,
 * and take over when the leader gives it back or is silent for its whole time (15 s).
 */
export async function waitForLead(
  parts: Omit<Parameters<typeof awaitReplicationLease>[0], 'onHeld'> & {
    readonly onLook: (look: WaitingLook) => void;
    readonly acting?: ActingWatch;
  },
  signal: AbortSignal,
): Promise<Lease> {
  const { state, clock, onLook } = parts;
  const rolesNow = unlessActed(parts, (call) => readRoles(state, call));
  const waiting = new AbortController();
  const until = AbortSignal.any([signal, waiting.signal]);
  let leader: string | undefined;
  const look = async () => {
    const call = { signal: AbortSignal.any([until, AbortSignal.timeout(lookDeadlineMs)]) };
    // A state that is away says nothing of the roles; whether it may be so is told by who asks for the right.
    const roles = await rolesNow(call).catch(() => undefined);
    if (!until.aborted) onLook({ ...(roles && { roles }), ...(leader === undefined ? {} : { leader }) });
  };
  const looking = every(lookMs, look, clock, until);
  const onHeld = (holder: string) => {
    leader = holder;
  };
  try {
    return await awaitReplicationLease({ ...parts, onHeld }, signal);
  } finally {
    waiting.abort();
    await looking;
  }
}
