import type { DrillTrigger } from '../../drills/drill-report.ts';

/** What `argus drill run` was asked for. Of `planOnly`, `switchover` and `fault` at most one; none: an isolated drill. */
export interface DrillRunOptions {
  readonly planOnly?: boolean;
  readonly switchover?: boolean;
  /** The fault's name in the catalogue. */
  readonly fault?: string;
  /** Only these jobs; all when absent. */
  readonly job?: readonly string[];
  readonly yes?: boolean;
  readonly reason?: string;
  /** Who or what began it: a person when absent. */
  readonly trigger?: DrillTrigger;
}
