import { z } from 'zod';

/** An offset: decimal in the document, bigint in the program. */
export const offset = z
  .string()
  .regex(/^-?\d+$/, 'a decimal offset')
  .transform((text) => BigInt(text));

/** A fencing token: grows, never comes again. */
export const epoch = z.int().min(1);

export const instantMs = z.number().min(0);

export const partitionOffset = z.object({ topic: z.string().min(1), partition: z.int().min(0), offset });
