import type { Log } from '../daemon/log.ts';
import type { MakeService } from '../daemon/service.ts';
import { watchRuns } from '../daemon/watch-runs.ts';
import type { Metrics } from '../health/metrics.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

interface ServiceParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  /** For what a service knows at a scrape (`also`), and for what it counts. */
  readonly metrics: Metrics;
}

/** What `argus daemon` runs beside replication, in the order in which it is begun. */
export function daemonServices({ context, composition, log, metrics }: ServiceParts): readonly MakeService[] {
  const { clock } = context;
  const { state } = composition;
  return [watchRuns({ state, clock, log, metrics })];
}
