import { z } from 'zod';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { readDocument, writeOnce } from './document.ts';
import { instantMs } from './schemas.ts';

const schema = z.object({
  run: z.string().min(1),
  atMs: instantMs,
  /** The address that the run led them to. */
  to: z.string(),
  /** As they were found at the provider before they were changed. */
  records: z.array(
    z.object({
      id: z.string().min(1),
      name: z.string().min(1),
      type: z.enum(['A', 'AAAA', 'CNAME']),
      content: z.string(),
      ttlSeconds: z.number(),
      proxied: z.boolean(),
      pools: z.object({ defaultPools: z.array(z.string()), fallbackPool: z.string() }).exactOptional(),
    }),
  ),
});

/** What a run changed at the DNS provider, as it was before. */
export type DnsBefore = z.output<typeof schema>;

const keyOf = (run: string) => `dns-before/${run}`;

/** Keeps what a run is about to change. `exists`: it kept something else already. */
export function writeDnsBefore(
  store: ObjectStore,
  before: DnsBefore,
  options: CallOptions = {},
): Promise<'written' | 'exists'> {
  return writeOnce(store, keyOf(before.run), before, options);
}

/** What a run changed; undefined when it changed no name. */
export async function readDnsBefore(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<DnsBefore | undefined> {
  return (await readDocument(store, keyOf(run), schema, options))?.value;
}
