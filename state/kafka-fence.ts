import { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import { type Acl, aclKey } from '../regions/kafka/kafka-acls.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { acl } from './acl.ts';
import { changeDocument, readDocument } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

const schema = z.object({
  /** What Argus made, or was about to make; nothing else is taken away when the fence is lifted. */
  rules: z.array(acl),
  /** Who fenced or lifted last. */
  by: z.string(),
  atMs: instantMs,
  /** The run that opens the region's Kafka for roles which are not in force yet: until then nobody else fences it. */
  openedFor: epoch.exactOptional(),
});

/** What keeps the writers of a region's Kafka out. */
export type KafkaFenceRecord = z.output<typeof schema>;

/** Who changes a fence, and when. */
export interface FenceAuthor {
  readonly by: string;
  readonly atMs: number;
  /** Who goes by these roles must not shut a region that is being opened for later ones: `FenceOpened`. */
  readonly unlessOpenedFor?: number;
}

const key = (region: string) => `kafka-fence/${region}`;
const empty: KafkaFenceRecord = { rules: [], by: '', atMs: 0 };

/** The record of a region's fence; undefined when it never was fenced. */
export async function readKafkaFence(
  store: ObjectStore,
  region: string,
  options: CallOptions = {},
): Promise<KafkaFenceRecord | undefined> {
  return (await readDocument(store, key(region), schema, options))?.value;
}

/** Notes rules that are about to be made, beside those that are noted. Before they are made: so that each can be lifted. */
export function noteFenceRules(
  store: ObjectStore,
  region: string,
  rules: readonly Acl[],
  author: FenceAuthor,
  options: CallOptions = {},
): Promise<KafkaFenceRecord> {
  const { by, atMs } = author;
  const change = (now: KafkaFenceRecord): KafkaFenceRecord => {
    refuseOpened(region, now, author);
    const known = new Set(now.rules.map(aclKey));
    return { rules: [...now.rules, ...rules.filter((r) => !known.has(aclKey(r)))], by, atMs };
  };
  return changeDocument(store, key(region), schema, empty, change, options);
}

/** Throws `FenceOpened` when a run opens the region for roles that its author doesn't know of. */
export function refuseOpened(
  region: string,
  record: KafkaFenceRecord | undefined,
  { unlessOpenedFor }: Pick<FenceAuthor, 'unlessOpenedFor'>,
): void {
  const { openedFor, by } = record ?? empty;
  if (unlessOpenedFor === undefined || openedFor === undefined || openedFor <= unlessOpenedFor) return;
  throw new ArgusError('FenceOpened', `${by} opens the Kafka of ${region} for roles epoch ${openedFor}`);
}

/** Notes that these rules are taken away and, with `openedFor`, that the region is being made primary in these roles. */
export function dropFenceRules(
  store: ObjectStore,
  region: string,
  rules: readonly Acl[],
  { by, atMs, openedFor }: FenceAuthor & { readonly openedFor?: number },
  options: CallOptions = {},
): Promise<KafkaFenceRecord> {
  const gone = new Set(rules.map(aclKey));
  const change = (now: KafkaFenceRecord): KafkaFenceRecord => ({
    ...now,
    rules: now.rules.filter((r) => !gone.has(aclKey(r))),
    by,
    atMs,
    ...(openedFor === undefined ? {} : { openedFor }),
  });
  return changeDocument(store, key(region), schema, empty, change, options);
}
