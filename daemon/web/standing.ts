import { z } from 'zod';

/** A verdict in force (docs/verdicts.md). */
export const verdictSchema = z.object({
  code: z.string(),
  /** Which of several: the observer, the job, the name. */
  subject: z.string().exactOptional(),
  severity: z.enum(['ok', 'info', 'warning', 'critical']),
  sentence: z.string(),
  sinceMs: z.number(),
});

/** What a failover would be like if the primary failed now. */
export const readinessSchema = z.object({
  atMs: z.number(),
  colour: z.enum(['green', 'yellow', 'red']),
  sentence: z.string(),
  /** Absent: it can't be told. */
  rtoMs: z.number().exactOptional(),
  rpoMs: z.number().exactOptional(),
  blockers: z.array(z.object({ code: z.string(), sentence: z.string() })),
});

/** What automatic mode would do, or why it does nothing. */
export const decisionSchema = z.object({
  mode: z.string(),
  kind: z.enum(['act', 'advise', 'wait', 'idle']),
  /** With the reasons in it. */
  sentence: z.string(),
  /** Why nothing is done. */
  reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  atMs: z.number(),
});

/** How things stand beyond what one look tells. Each is absent until somebody has judged it. */
export interface Standing {
  readonly readiness?: z.output<typeof readinessSchema>;
  readonly verdicts?: readonly z.output<typeof verdictSchema>[];
  readonly decision?: z.output<typeof decisionSchema>;
}
