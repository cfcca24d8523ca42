import type { DrillTrigger } from '../../drills/drill-report.ts';

/** What `argus drill run` was asked for. Of `planOnly`, `switchover` and `fault` at most one; none: an isolated drill. */
export interface DrillRunOptions {
  readonly planOnly?: boolean;
  readonly switchover?: boolean;
  /** The fault's name in the catalogue. */
  readonly fault?: string;
  /** Only these jobs; all when absent. */
  readonly job?: readonly string[];
  /** A drill by switchover: how long it stays there, in milliseconds. Absent: until the jobs have made a checkpoint. */
  readonly stay?: number;
  /** A drill by switchover: also outside of the windows of its schedule. */
  readonly outsideWindow?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  /** Who or what began it: a person when absent. */
  readonly trigger?: DrillTrigger;
}
