import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { type Document, encodeDocument, readDocument } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

/** Who may act on the regions. Other rights (who mirrors) have keys of their own. */
const actingKey = 'lease';

const schema = z.object({
  /** Grows with every acquisition: the fencing token of whoever holds it. */
  epoch,
  /** `user@host` and process id, for people. */
  holder: z.string().min(1),
  purpose: z.string(),
  run: z.string().exactOptional(),
  acquiredAtMs: instantMs,
  ttlMs: z.number().min(1),
  renewCount: z.int().min(0),
  /** Which process holds it, for others on its own system; absent where that can't be told. */
  process: z
    .object({
      /** The running system and its namespaces, as one opaque word: process ids of two such words don't compare. */
      system: z.string().min(1),
      pid: z.int().min(1),
      /** When it started, in the system's own count: tells it from a later process with the same id. */
      started: z.string().min(1),
    })
    .exactOptional(),
  /** Tells two acquisitions apart whatever else they have in common. */
  nonce: z.string(),
  /** Given back: it can be taken at once. */
  released: z.boolean().exactOptional(),
});

export type LeaseDocument = z.output<typeof schema>;

/** Which process holds a lease. */
export type HolderProcess = NonNullable<LeaseDocument['process']>;

export interface LeaseRequest {
  /** The lease's key in the state; default `lease`, the right to act on the regions. */
  readonly key?: string;
  readonly holder: string;
  readonly purpose: string;
  readonly run?: string;
  /** The process that asks; absent where that can't be told. */
  readonly process?: HolderProcess;
  /** How long the lease outlives its last renewal. */
  readonly ttlMs: number;
  /** How long to watch another's lease for signs of life; 0: don't wait. A dead holder's is free after its own `ttlMs`. */
  readonly waitMs: number;
  /** How much longer another's lease must be silent, a released one too: those who share it may take it over first. */
  readonly patienceMs?: (held: LeaseDocument) => number;
  /**
   * Whether a holder's process is gone for certain: it is on this very system, and is not there any more. Its `ttlMs`
   * isn't waited for then, `patienceMs` is, from when that was seen. Any doubt is `false`. Absent: nobody can tell.
   */
  readonly isGone?: (process: HolderProcess) => boolean;
}

export type LeaseAnswer =
  /** `over`: the mark of the one that it was taken over (`leaseMark`). */
  | { readonly kind: 'acquired'; readonly lease: Lease; readonly over: string }
  /** Another holds it and was seen alive, or was not watched for long enough. */
  | { readonly kind: 'held'; readonly by: LeaseDocument };

/**
 * The right to act, alone. It is worth what `check` says at this instant: ask before every effect.
 * A process that slept through its deadline is told so by its own clocks, without asking the store: by the monotonic
 * one, or by the wall clock when the whole machine was suspended.
 */
export interface Lease {
  readonly epoch: number;
  readonly document: LeaseDocument;
  /** Aborted when the lease is known to be lost; effects under way stop by it. */
  readonly signal: AbortSignal;
  /** How long effects may still be begun without a renewal. Not positive: never again. */
  remainingMs(): number;
  /** Throws `LeaseLost` unless the lease holds beyond the safety margin. */
  check(): void;
  /** Extends by `ttlMs` from now; `LeaseLost` when another has taken it. Other errors leave the old deadline. */
  renew(options?: CallOptions): Promise<void>;
  /**
   * Renews every third of the `ttlMs` until the returned function is called, or the lease is lost; `signal` is aborted
   * the moment it is.
   */
  keepRenewed(): () => Promise<void>;
  /** Gives it back; no error when it is lost already. */
  release(options?: CallOptions): Promise<void>;
}

/**
 * Who holds the lease now or did last, and when he last wrote it, by the store's clock; undefined before the first.
 * For people to see: whether he lives is decided by watching it (`acquireLease`).
 */
export async function readLease(
  store: ObjectStore,
  options: CallOptions = {},
): Promise<(LeaseDocument & { readonly writtenAtMs: number }) | undefined> {
  const found = await readDocument(store, actingKey, schema, options);
  return found && { ...found.value, writtenAtMs: found.modifiedAtMs };
}

/**
 * What a plan is made under (`AnotherActed`): changes with each acquisition, renewal and release of the lease. A dead
 * holder's stays as it is.
 */
export async function leaseMark(store: ObjectStore, options: CallOptions = {}): Promise<string> {
  return markOf(await readLease(store, options));
}

const markOf = (lease: LeaseDocument | undefined): string =>
  lease === undefined
    ? 'none'
    : `${lease.epoch} ${lease.nonce} ${lease.renewCount}${lease.released === true ? ' released' : ''}`;

/**
 * Takes the lease: at once when it is free or released, else after it did not change for its whole `ttlMs` by this
 * process' own monotonic clock, or when its holder's process is seen to be gone. One of any number of contenders wins. Source of the idea: generation fencing over
 * conditional writes, as in RFC 9110 section 13 (`If-Match`, `If-None-Match`).
 */
export async function acquireLease(
  store: ObjectStore,
  request: LeaseRequest,
  clock: Clock,
  options: CallOptions = {},
): Promise<LeaseAnswer> {
  const startedAt = clock.monotonic();
  const nonce = randomUUID();
  const key = request.key ?? actingKey;
  let sentAt = instantOf(clock);
  let watched: { readonly etag: string; readonly since: number } | undefined;
  let goneSince: number | undefined;
  let over = '';
  for (;;) {
    const found = await readDocument(store, key, schema, options);
    const seenAt = clock.monotonic();
    if (found?.value.nonce === nonce) return { ...acquired(store, key, found, clock, sentAt), over };
    const patienceMs = (found && request.patienceMs?.(found.value)) ?? 0;
    const released = found?.value.released === true;
    let free = found === undefined || (released && patienceMs === 0);
    if (!free && found !== undefined) {
      const { process, ttlMs } = found.value;
      if (watched !== undefined && watched.etag !== found.etag) return { kind: 'held', by: found.value };
      watched ??= { etag: found.etag, since: seenAt };
      // Whoever is gone may have acted until a moment ago, however long the lease has been silent.
      if (process !== undefined && request.isGone?.(process) === true) goneSince ??= seenAt;
      free =
        seenAt - watched.since >= (released ? 0 : ttlMs) + patienceMs ||
        (goneSince !== undefined && seenAt - goneSince >= patienceMs);
    }
    if (free || found === undefined) {
      sentAt = instantOf(clock);
      over = markOf(found?.value);
      const put = await take(store, request, nonce, found, clock, options);
      if (put.kind === 'acquired') return { ...put, over };
      continue;
    }
    if (seenAt - startedAt >= request.waitMs) return { kind: 'held', by: found.value };
    await clock.sleep(Math.max(50, Math.min(500, found.value.ttlMs / 10)), options.signal);
  }
}

async function take(
  store: ObjectStore,
  request: LeaseRequest,
  nonce: string,
  over: Document<LeaseDocument> | undefined,
  clock: Clock,
  options: CallOptions,
): Promise<{ readonly kind: 'acquired'; readonly lease: Lease } | { readonly kind: 'conflict' }> {
  const value: LeaseDocument = {
    epoch: (over?.value.epoch ?? 0) + 1,
    holder: request.holder,
    purpose: request.purpose,
    ...(request.run === undefined ? {} : { run: request.run }),
    ...(request.process === undefined ? {} : { process: request.process }),
    acquiredAtMs: clock.now(),
    ttlMs: request.ttlMs,
    renewCount: 0,
    nonce,
  };
  const key = request.key ?? actingKey;
  const sentAt = instantOf(clock);
  const put = await store.put(key, encodeDocument(value), {
    ...options,
    ...(over === undefined ? { ifAbsent: true } : { ifMatch: over.etag }),
  });
  if (put.kind === 'conflict') return put;
  if (over !== undefined) {
    // A store whose compare-and-swap isn't atomic (versitygw's on a file system) may have said yes to two at one moment:
    // what it kept decides. A look that fails says nothing; the next renewal tells.
    const kept = await readDocument(store, key, schema, options).catch(() => undefined);
    if (kept !== undefined && kept.value.nonce !== nonce) return { kind: 'conflict' };
  }
  return acquired(store, key, { value, etag: put.etag, modifiedAtMs: value.acquiredAtMs }, clock, sentAt);
}

function acquired(
  store: ObjectStore,
  key: string,
  document: Document<LeaseDocument>,
  clock: Clock,
  sentAt: Instant,
): { readonly kind: 'acquired'; readonly lease: Lease } {
  return { kind: 'acquired', lease: new StoredLease(store, key, document, clock, sentAt) };
}

/** By both clocks: the monotonic one stands still while a machine is suspended, the wall clock may be set. */
interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

const instantOf = (clock: Clock): Instant => ({ monotonic: clock.monotonic(), wall: clock.now() });

/** Owns the lease's object for as long as it is held: its ETag, and the deadline that the last write gave. */
class StoredLease implements Lease {
  readonly epoch: number;
  document: LeaseDocument;
  private readonly store: ObjectStore;
  private readonly key: string;
  private readonly clock: Clock;
  private readonly lost = new AbortController();
  private readonly marginMs: number;
  private etag: string;
  private heldFrom: Instant;

  constructor(store: ObjectStore, key: string, document: Document<LeaseDocument>, clock: Clock, sentAt: Instant) {
    this.store = store;
    this.key = key;
    this.clock = clock;
    this.document = document.value;
    this.epoch = document.value.epoch;
    this.etag = document.etag;
    this.marginMs = document.value.ttlMs * 0.1;
    // Counted from before the write was sent: whoever sees it sees it later, and waits from then.
    this.heldFrom = sentAt;
  }

  get signal(): AbortSignal {
    return this.lost.signal;
  }

  remainingMs(): number {
    if (this.lost.signal.aborted) return 0;
    const now = instantOf(this.clock);
    const passed = Math.max(now.monotonic - this.heldFrom.monotonic, now.wall - this.heldFrom.wall);
    return this.document.ttlMs - this.marginMs - passed;
  }

  check(): void {
    if (this.remainingMs() > 0) return;
    this.lose();
    throw this.lost.signal.reason;
  }

  async renew(options: CallOptions = {}): Promise<void> {
    this.check();
    const { document, put, sentAt } = await this.write({ renewCount: this.document.renewCount + 1 }, options);
    if (put.kind === 'written') return this.adopt(document, put.etag, sentAt);
    // An earlier write whose answer was lost may be ours.
    const there = await readDocument(this.store, this.key, schema, options);
    if (there?.value.nonce !== this.document.nonce || there.value.released) throw this.lose();
    this.etag = there.etag;
    const again = await this.write({ renewCount: there.value.renewCount + 1 }, options);
    if (again.put.kind !== 'written') throw this.lose();
    this.adopt(again.document, again.put.etag, again.sentAt);
  }

  keepRenewed(): () => Promise<void> {
    const stop = new AbortController();
    const loop = async () => {
      while (!stop.signal.aborted && !this.lost.signal.aborted) {
        await this.clock.sleep(this.document.ttlMs / 3, stop.signal);
        if (this.remainingMs() <= 0) {
          this.lose();
          return;
        }
        try {
          await this.renew({ signal: AbortSignal.any([stop.signal, AbortSignal.timeout(this.document.ttlMs)]) });
        } catch {
          // Not renewed: the deadline stands and `check` keeps it; the next round tries again.
        }
      }
    };
    // An effect under way ends with the lease, also while a renewal hangs.
    const guard = async () => {
      while (!stop.signal.aborted && !this.lost.signal.aborted) {
        await this.clock.sleep(Math.max(1, this.remainingMs()), stop.signal);
        if (this.remainingMs() <= 0) this.lose();
      }
    };
    // The only rejections are those of the sleeps when they are stopped.
    const ended = Promise.allSettled([loop(), guard()]);
    return async () => {
      stop.abort(new ArgusError('LeaseRenewalStopped', 'the lease is no longer renewed'));
      await ended;
    };
  }

  async release(options: CallOptions = {}): Promise<void> {
    if (this.lost.signal.aborted) return;
    const { put } = await this.write({ released: true }, options);
    if (put.kind === 'conflict') {
      const there = await readDocument(this.store, this.key, schema, options);
      if (there?.value.nonce === this.document.nonce) {
        this.etag = there.etag;
        await this.write({ released: true }, options);
      }
    }
    this.lose();
  }

  private async write(change: Partial<LeaseDocument>, options: CallOptions) {
    const document: LeaseDocument = { ...this.document, ...change };
    const sentAt = instantOf(this.clock);
    const put = await this.store.put(this.key, encodeDocument(document), { ...options, ifMatch: this.etag });
    return { document, put, sentAt };
  }

  private adopt(document: LeaseDocument, etag: string, sentAt: Instant): void {
    this.document = document;
    this.etag = etag;
    this.heldFrom = sentAt;
  }

  private lose(): ArgusError {
    if (!this.lost.signal.aborted) {
      this.lost.abort(
        new ArgusError('LeaseLost', `the lease of epoch ${this.epoch} (${this.document.purpose}) no longer holds`, {
          hint: 'see `argus runs list` for who acts now; begin again when nobody does',
        }),
      );
    }
    return this.lost.signal.reason;
  }
}
