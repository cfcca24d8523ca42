import { formatMs } from '../health/render-status.ts';
import type { ReportedStep } from '../runbooks/engine/run-result.ts';

/** The steps of a report: how long each took, how it ended, and why it failed. Pure. */
export function reportedStepLines(steps: readonly ReportedStep[]): readonly string[] {
  const width = Math.max(0, ...steps.map((s) => s.id.length));
  return steps.map(
    ({ id, ms, status, error }) =>
      `  ${id.padEnd(width)}  ${formatMs(ms).padStart(9)}  ${status}${error ? `: ${error.message}` : ''}`,
  );
}
