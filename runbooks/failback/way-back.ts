import type { Roles } from '../../domain/roles.ts';
import type { Failure } from '../../state/journal.ts';
import type { Direction } from '../failover/direction.ts';
import { failbackRefusal } from './plan.ts';

/** Where the way back from a failover stands. */
export type WayBack =
  /** Replication is suspended: the old primary has to be brought back first. */
  | { readonly kind: 'fail-back' }
  /** It is mirrored to, by these roles. */
  | { readonly kind: 'follow'; readonly roles: Roles }
  /** A switchover to it was begun from these roles: it can only be gone on with, or taken back. */
  | { readonly kind: 'switch'; readonly roles: Roles; readonly run: string }
  | { readonly kind: 'refused'; readonly error: Failure };

/** Where the way back stands; `switching` is the direction of a switchover now. Pure. */
export function wayBack(inForce: Roles, switching: Pick<Direction, 'roles' | 'resumes'>): WayBack {
  const { roles, resumes } = switching;
  if (resumes !== undefined && isTurned(roles)) return { kind: 'switch', roles, run: resumes.run };
  if (isTurned(inForce)) return { kind: 'follow', roles: inForce };
  const error = failbackRefusal(inForce);
  return error === undefined ? { kind: 'fail-back' } : { kind: 'refused', error };
}

/** Whether a failback wrote these roles. */
const isTurned = ({ replication, run }: Roles) => replication === 'active' && run?.includes('-failback-') === true;
