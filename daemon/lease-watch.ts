import type { LeaseDocument } from '../state/lease.ts';

/** Whether a lease's holder lives, as far as its renewals show. */
export type LeaseWatch = (held: LeaseDocument | undefined, monotonicMs: number) => held is LeaseDocument;

/**
 * Remembers how long the lease has been silent by this process' own clock: only that tells whether its holder lives. One
 * that is seen for the first time counts as alive until its whole `ttlMs` has passed.
 */
export function watchLease(): LeaseWatch {
  let seen: { readonly mark: string; readonly since: number } | undefined;
  return (held, monotonicMs): held is LeaseDocument => {
    if (held === undefined || held.released === true) return false;
    const mark = `${held.nonce} ${held.renewCount}`;
    if (seen?.mark !== mark) seen = { mark, since: monotonicMs };
    return monotonicMs - seen.since < held.ttlMs;
  };
}
