import { numberIn } from '../state/json-parts.ts';
import type { RunRecord } from '../state/run-record.ts';

/** One step may take hours. */
const longestStepMs = 24 * 3_600_000;

/** A run that says nothing for so long was killed; a drill by switchover also says nothing while it stays. Pure. */
export function killedAfterMs({ details }: Pick<RunRecord, 'details'>): number {
  return longestStepMs + (numberIn(details, 'stayMs') ?? 0);
}
