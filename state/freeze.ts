import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, listNumbers, readDocument, writeOnce } from './document.ts';
import { epoch, instantMs, offset, partitionOffset } from './schemas.ts';

const requestSchema = z.object({
  run: z.string().min(1),
  /** The requesting run's lease epoch. */
  epoch,
  /** The roles under which the mirror is to stop; a mirror under other roles passes over the request. */
  rolesEpoch: epoch,
  atMs: instantMs,
  /** How long the mirror may go on to reach the primary's end before it stops. */
  drainMs: z.number().min(0),
});

/** What is said when mirroring has stopped. */
export const frozenSchema = z.object({
  epoch,
  atMs: instantMs,
  /** True: the mirrored ends were the primary's ends when the mirror stopped. */
  drained: z.boolean(),
  /** `mirror`: it stopped by itself. `failover`: it did not answer, and its producer was fenced at the standby's brokers. */
  by: z.enum(['mirror', 'failover']).default('mirror'),
  /** Where mirrored data ends, exclusive. A fence's ABORT marker behind it is not counted. */
  endOffsets: z.array(partitionOffset),
  /** Whose the transactions are that the mirror left open on the standby; those that it can't tell are not in it. */
  openTransactions: z
    .array(
      z.object({
        topic: z.string(),
        partition: z.int().min(0),
        transactionalId: z.string(),
        firstOffset: offset,
        /** Of the source. */
        sourceProducerId: offset,
        sourceProducerEpoch: z.int().exactOptional(),
      }),
    )
    .exactOptional(),
});

const endsSchema = z.object({ endOffsets: z.array(partitionOffset) });

/** A failover's request that mirror and checkpoint sync stop. */
export type FreezeRequest = z.output<typeof requestSchema>;
/** The proof that nothing is mirrored any more, and up to where it was. */
export type Frozen = z.output<typeof frozenSchema>;

const freezeKey = (e: number) => `freeze/${keyNumber(e)}`;
const frozenKey = (e: number) => `frozen/${keyNumber(e)}`;
const thawKey = (e: number) => `thaw/${keyNumber(e)}`;
const fencingKey = (rolesEpoch: number) => `fencing/${keyNumber(rolesEpoch)}`;

/** Asks the mirror to stop. `exists`: this epoch asked already. */
export function requestFreeze(
  store: ObjectStore,
  request: FreezeRequest,
  options: CallOptions = {},
): Promise<'written' | 'exists'> {
  return writeOnce(store, freezeKey(request.epoch), request, options);
}

/**
 * The newest request to stop that holds under these roles, undefined when the mirror may run. A thaw lifts its own
 * epoch's request and all before it. A mirror that starts asks this first.
 */
export async function freezeInForce(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<FreezeRequest | undefined> {
  const thawed = (await listNumbers(store, 'thaw/', options)).at(-1) ?? 0;
  const asked = (await listNumbers(store, 'freeze/', options)).filter((e) => e > thawed);
  for (const e of asked.reverse()) {
    const request = (await readDocument(store, freezeKey(e), requestSchema, options))?.value;
    if (request?.rolesEpoch === rolesEpoch) return request;
  }
  return undefined;
}

/**
 * States that mirroring has stopped; the first to say so for an epoch is believed.
 * Gives what is in force, which may be the other side's word.
 */
export async function confirmFreeze(store: ObjectStore, frozen: Frozen, options: CallOptions = {}): Promise<Frozen> {
  if ((await writeOnce(store, frozenKey(frozen.epoch), frozen, options)) === 'written') return frozen;
  return (await readFrozen(store, frozen.epoch, options)) ?? frozen;
}

/** The confirmation of one epoch's freeze; undefined while there is none. */
export async function readFrozen(
  store: ObjectStore,
  freezeEpoch: number,
  options: CallOptions = {},
): Promise<Frozen | undefined> {
  return (await readDocument(store, frozenKey(freezeEpoch), frozenSchema, options))?.value;
}

/** The oldest confirmation under these roles that no thaw lifted: where mirrored data ended when it first stopped. */
export async function firstFrozen(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<{ readonly request: FreezeRequest; readonly frozen: Frozen } | undefined> {
  const thawed = (await listNumbers(store, 'thaw/', options)).at(-1) ?? 0;
  for (const e of (await listNumbers(store, 'frozen/', options)).filter((n) => n > thawed)) {
    const request = (await readDocument(store, freezeKey(e), requestSchema, options))?.value;
    if (request?.rolesEpoch !== rolesEpoch) continue;
    const frozen = await readFrozen(store, e, options);
    if (frozen !== undefined) return { request, frozen };
  }
  return undefined;
}

/** Lifts the freeze: the failover gave up before it started a job, and the mirror goes on. Idempotent. */
export async function thaw(
  store: ObjectStore,
  lifted: { readonly run: string; readonly epoch: number; readonly atMs: number; readonly reason: string },
  options: CallOptions = {},
): Promise<void> {
  await writeOnce(store, thawKey(lifted.epoch), lifted, options);
}

/**
 * Notes where the standby's logs ended before the mirror's producer is fenced for the first time under these roles.
 * `first: false`: it was tried before; the earlier ends are given, since markers may stand behind them.
 */
export async function noteFencing(
  store: ObjectStore,
  rolesEpoch: number,
  endOffsets: Frozen['endOffsets'],
  options: CallOptions = {},
): Promise<{ readonly first: boolean; readonly endOffsets: Frozen['endOffsets'] }> {
  const put = await store.put(fencingKey(rolesEpoch), encodeDocument({ endOffsets }), { ...options, ifAbsent: true });
  if (put.kind === 'written') return { first: true, endOffsets };
  const there = await readDocument(store, fencingKey(rolesEpoch), endsSchema, options);
  return { first: false, endOffsets: there?.value.endOffsets ?? endOffsets };
}
