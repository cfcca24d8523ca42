import { z } from 'zod';
import { ArgusError } from '../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, readDocument, writeOnce } from './document.ts';

const schema = z.object({
  transactionalId: z.string().min(1),
  producerId: z
    .string()
    .regex(/^\d+$/, 'a decimal producer id')
    .transform((text) => BigInt(text)),
  producerEpoch: z.int().min(0).max(32_767),
});

/**
 * Who the mirror is to the standby's brokers, for as long as one epoch of roles lasts. Kept, since a new producer epoch
 * would make the brokers demand sequence 0 and so lose their comparison of what is appended.
 */
export type MirrorProducer = z.output<typeof schema>;

const key = (rolesEpoch: number) => `mirror-producer/${keyNumber(rolesEpoch)}`;

/** The mirror's identity under these roles; undefined when it never produced. */
export async function readMirrorProducer(
  store: ObjectStore,
  rolesEpoch: number,
  options: CallOptions = {},
): Promise<MirrorProducer | undefined> {
  return (await readDocument(store, key(rolesEpoch), schema, options))?.value;
}

/** Keeps an identity, unless there is one; gives the one that is in force, which may be another process's. */
export async function keepMirrorProducer(
  store: ObjectStore,
  rolesEpoch: number,
  producer: MirrorProducer,
  options: CallOptions = {},
): Promise<MirrorProducer> {
  if ((await writeOnce(store, key(rolesEpoch), producer, options)) === 'written') return producer;
  const kept = await readMirrorProducer(store, rolesEpoch, options);
  if (kept === undefined) {
    throw new ArgusError('StateInconsistent', `${key(rolesEpoch)} in ${store.uri} exists, and can't be read`, {
      exitCode: 4,
      retryable: true,
    });
  }
  return kept;
}
