import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { encodeDocument, keyNumber, listNumbers, readDocument } from './document.ts';
import { epoch, instantMs, offset } from './schemas.ts';

const prefix = 'rescued/';

const range = z.object({ from: offset, to: offset, reason: z.enum(['orphan', 'older']) });

const partition = z.object({
  partition: z.int().min(0),
  /** Every record of the old primary in these was kept, and compared. */
  ranges: z.array(range),
  orphans: offset,
  aborted: offset,
  open: offset,
  older: offset,
  bytes: offset,
  /** Orphans that the old primary had deleted by itself before anybody could keep them. */
  gone: z.object({ from: offset, to: offset }).exactOptional(),
});

const topic = z.object({
  partitions: z.array(partition),
  /** Where they are kept, for people. */
  where: z.string(),
  verifiedAtMs: instantMs,
  /** The old primary's topic was deleted and made anew after that. */
  reseeded: z.boolean().default(false),
});

const schema = z.object({
  /** The roles epoch of the promotion that left them behind. */
  promotion: epoch,
  /** The old primary. */
  region: z.string().min(1),
  /** The active side, which keeps them. */
  keptBy: z.string().min(1),
  to: z.enum(['topic', 'files']),
  run: z.string(),
  atMs: instantMs,
  topics: z.record(z.string(), topic),
});

/** What a failback rescued of the old primary's log, verified record by record before anything was deleted. */
export type Rescued = z.output<typeof schema>;

const key = (promotion: number) => `${prefix}${keyNumber(promotion)}`;

/** What was rescued after one promotion; undefined: nothing yet. */
export async function readRescued(
  store: ObjectStore,
  promotion: number,
  options: CallOptions = {},
): Promise<Rescued | undefined> {
  return (await readDocument(store, key(promotion), schema, options))?.value;
}

/** Replaces it; only the run that holds the lease does this. Idempotent. */
export async function putRescued(store: ObjectStore, rescued: Rescued, options: CallOptions = {}): Promise<void> {
  await store.put(key(rescued.promotion), encodeDocument(rescued), options);
}

/** All that were ever rescued, oldest first. */
export async function listRescued(store: ObjectStore, options: CallOptions = {}): Promise<readonly Rescued[]> {
  const promotions = await listNumbers(store, prefix, options);
  const found = await Promise.all(promotions.map((promotion) => readRescued(store, promotion, options)));
  return found.filter((each) => each !== undefined);
}
