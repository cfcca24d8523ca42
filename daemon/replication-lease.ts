import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { acquireLease, type Lease } from '../state/lease.ts';

const leaseKey = 'lease-daemon';
const leaseTtlMs = 15_000;

/** The right to mirror: one process at a time has it. `AlreadyReplicating` (exit code 3) names who does. */
export async function acquireReplicationLease(
  parts: { readonly state: ObjectStore; readonly clock: Clock; readonly holder: string },
  purpose: string,
  signal: AbortSignal,
): Promise<Lease> {
  const request = { key: leaseKey, holder: parts.holder, purpose, ttlMs: leaseTtlMs, waitMs: leaseTtlMs + 3_000 };
  const answer = await acquireLease(parts.state, request, parts.clock, { signal });
  if (answer.kind === 'acquired') return answer.lease;
  throw new ArgusError('AlreadyReplicating', `${answer.by.holder} replicates already (${answer.by.purpose})`, {
    exitCode: 3,
    hint: 'stop it first; one process at a time may mirror',
  });
}
