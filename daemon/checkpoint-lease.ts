import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { acquireLease, type LeaseAnswer } from '../state/lease.ts';

const ttlMs = 15_000;

/** What holds the right to change the replica, and how it may go on. */
export interface ReplicaRight {
  /** Aborted when the right is lost, or by the caller's signal. */
  readonly signal: AbortSignal;
  /** Throws when the right is lost. */
  check(): void;
}

/**
 * Does `work` while no other process that asks for this right copies or prunes checkpoints; `held`: another has it and
 * is alive. A daemon copies without it, since nobody else replicates beside it but `argus checkpoints run`, which has it.
 */
export async function withReplicaRight<T>(
  parts: { readonly state: ObjectStore; readonly clock: Clock; readonly holder: string },
  purpose: string,
  signal: AbortSignal,
  work: (right: ReplicaRight) => Promise<T>,
): Promise<{ readonly kind: 'done'; readonly value: T } | Extract<LeaseAnswer, { kind: 'held' }>> {
  const request = { key: 'lease-checkpoints', holder: parts.holder, purpose, ttlMs, waitMs: ttlMs + 3_000 };
  const answer = await acquireLease(parts.state, request, parts.clock, { signal });
  if (answer.kind === 'held') return answer;
  const { lease } = answer;
  const stopRenewing = lease.keepRenewed();
  try {
    const value = await work({ signal: AbortSignal.any([signal, lease.signal]), check: () => lease.check() });
    return { kind: 'done', value };
  } finally {
    await stopRenewing();
    await lease.release({ signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  }
}

/** The same for a command: `AlreadyReplicating` (exit code 3) when another has the right. */
export async function requireReplicaRight<T>(...args: Parameters<typeof withReplicaRight<T>>): Promise<T> {
  const answer = await withReplicaRight(...args);
  if (answer.kind === 'done') return answer.value;
  throw new ArgusError('AlreadyReplicating', `${answer.by.holder} works on the replica (${answer.by.purpose})`, {
    exitCode: 3,
    hint: 'stop it first, or wait until it is done',
  });
}
