import { z } from 'zod';
import { duration, secretRef } from './config-values.ts';

/** A minisign public key as its file's second line has it: `Ed`, key id and key in base64. */
const publicKey = z.union([
  z.string().regex(/^RW[A-Za-z0-9+/]{54}$/, 'a minisign public key: the line that begins with RW'),
  secretRef,
]);

/** `reports`: how reports are signed, and what they can plot. */
export const reportsSection = z
  .strictObject({
    /** The key that signs: a minisign secret key without password, or an Ed25519 key in PKCS#8 PEM. Absent: nothing is signed. */
    key: secretRef.optional(),
    /** By which `argus report verify` checks; also a reference to a minisign public key file or to PEM. */
    publicKey: publicKey.optional(),
    samples: z
      .strictObject({
        /** How often the daemon notes lag and checkpoint age. */
        every: duration.prefault('5s'),
        /** How long it keeps them; those around a run stay with the run. */
        keep: duration.prefault('336h'),
      })
      .prefault({}),
  })
  .prefault({});
