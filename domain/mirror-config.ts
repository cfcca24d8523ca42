import { z } from 'zod';

/** How topics are mirrored. Everything has a default that suits one process between two clusters. */
export const mirrorSection = z
  .strictObject({
    /** The primary's ACLs of mirrored topics and followed groups; those that allow to write only from a promotion on. */
    acls: z.enum(['follow', 'off']).default('follow'),
  })
  .prefault({});
