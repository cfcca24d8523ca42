import { z } from 'zod';

/** Why a request was not served. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The body of every answer that is no success. */
export const problemSchema = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .meta({ description: 'Why it was not served' });

/** A problem's answer, as a body. */
export function problemBody({ code, message }: Problem): string {
  return `${JSON.stringify({ error: { code, message } } satisfies z.output<typeof problemSchema>)}\n`;
}
