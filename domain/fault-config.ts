import { z } from 'zod';
import { duration } from './config-values.ts';
import { callFields, callGaps } from './hooks-config.ts';

/** What fault drills can break; `drills/faults/catalogue.ts` says what each is. */
export const faultNames = [
  'broker-down',
  'objects-refusing',
  'taskmanager-lost',
  'api-server-frozen',
  'dns-api-down',
  'link-slow',
  'primary-dark',
] as const;
export type FaultName = (typeof faultNames)[number];

const call = z.strictObject({ ...callFields, timeout: duration.prefault('60s') }).superRefine((one, ctx) => {
  for (const [key, message] of callGaps(one)) ctx.addIssue({ code: 'custom', path: [key], message });
});

const fault = z.strictObject({
  /** Breaks it. Must be able to be called again while it is broken. */
  inject: call,
  /** Mends it, also when nothing is broken, or only half of it. */
  heal: call,
  /** Succeeds when nothing of it is broken any more. Absent: the heal's own success counts. */
  check: call.optional(),
  /** How long it stays broken, unless all that is expected was seen before; the catalogue's when absent. */
  hold: duration.optional(),
  /** Verdicts of which one must be told, in place of the catalogue's; none: it isn't asked for. */
  verdicts: z.array(z.string().min(1)).optional(),
});

/** `drill.faults`: by what Argus breaks something on purpose, and mends it. */
export const faultsSection = z.partialRecord(z.enum(faultNames), fault).default({});
