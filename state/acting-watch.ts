import type { Clock } from '../domain/clock.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { type LeaseDocument, readLease } from './lease.ts';

/**
 * Tells for the price of one GET whether anybody may have acted. Roles, freezes, thaws and the journals of runs that act
 * are written by whoever holds the lease and by nobody else: as long as it lies there given back, or has been silent for
 * so long that nothing of its holder can be under way, they are what they were.
 */
export interface ActingWatch {
  /**
   * The lease's mark while nobody acts; undefined while somebody does, or when that can't be told. Two equal marks:
   * nobody acted in between. `notOlderMs`: an earlier answer of that age will do; default: none will. Never rejects but
   * by the signal.
   */
  look(options?: CallOptions & { readonly notOlderMs?: number }): Promise<string | undefined>;
}

/** Requests of a holder that died may still arrive so long after its lease is over. */
const graceMs = 15_000;

/** Remembers how long the lease has been silent by this process' own clock; to be shared by all who look at one state. */
export function watchActing(state: ObjectStore, clock: Clock): ActingWatch {
  let silent: { readonly mark: string; readonly sinceMs: number } | undefined;
  let newest: { readonly mark: string | undefined; readonly askedAtMs: number } | undefined;

  function quietMark(lease: LeaseDocument | undefined, nowMs: number): string | undefined {
    if (lease === undefined) return 'none';
    const mark = `${lease.epoch} ${lease.nonce} ${lease.renewCount}`;
    if (lease.released === true) return mark;
    if (silent?.mark !== mark) silent = { mark, sinceMs: nowMs };
    return nowMs - silent.sinceMs >= lease.ttlMs + graceMs ? mark : undefined;
  }

  return {
    async look({ notOlderMs, ...call } = {}) {
      const askedAtMs = clock.monotonic();
      if (newest && notOlderMs !== undefined && askedAtMs - newest.askedAtMs <= notOlderMs) return newest.mark;
      let mark: string | undefined;
      try {
        mark = quietMark(await readLease(state, call), clock.monotonic());
      } catch (error) {
        if (call.signal?.aborted) throw error;
        // A lease that can't be read says nothing: whoever asks reads what he is after.
      }
      if (newest === undefined || newest.askedAtMs <= askedAtMs) newest = { mark, askedAtMs };
      return mark;
    },
  };
}

/** What was read is read again after this all the same: it may have been changed by hand, or by a request that came late. */
const longestMs = 10_000;

/**
 * Reads by `read`, or gives what it gave last, where nobody acted since. Nothing (undefined) is never kept. What is
 * written without the lease shows after 10 s. Absent `acting`: reads each time.
 */
export function unlessActed<T>(
  parts: {
    readonly acting?: ActingWatch | undefined;
    readonly clock: Clock;
    /** How old the look at who acts may be; default: it is a new one. */
    readonly notOlderMs?: number;
    /** Whether this may be given again; default: anything may. */
    readonly keeps?: (value: T) => boolean;
  },
  read: (options: CallOptions) => Promise<T>,
): (options: CallOptions) => Promise<T> {
  const { acting, clock, notOlderMs, keeps = () => true } = parts;
  if (acting === undefined) return read;
  let known: { readonly mark: string; readonly value: T; readonly atMs: number } | undefined;
  return async (options) => {
    const atMs = clock.monotonic();
    const mark = await acting.look({ ...options, ...(notOlderMs === undefined ? {} : { notOlderMs }) });
    if (known !== undefined && known.mark === mark && atMs - known.atMs < longestMs) return known.value;
    known = undefined;
    const value = await read(options);
    if (mark !== undefined && value !== undefined && keeps(value)) known = { mark, value, atMs };
    return value;
  };
}
