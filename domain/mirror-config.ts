import { z } from 'zod';

/** How topics are mirrored. Everything has a default that suits one process between two clusters. */
export const mirrorSection = z.strictObject({}).prefault({});
