import { z } from 'zod';

/** An offset: decimal in the document, bigint in the program. */
export const offset = z
  .string()
  .regex(/^-?\d+$/, 'a decimal offset')
  .transform((text) => BigInt(text));

/** A fencing token: grows, never comes again. */
export const epoch = z.int().min(1);

/** In hex. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

export const instantMs = z.number().min(0);

export const partitionOffset = z.object({ topic: z.string().min(1), partition: z.int().min(0), offset });
