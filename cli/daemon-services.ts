import type { Log } from '../daemon/log.ts';
import { readinessService } from '../daemon/readiness.ts';
import type { MakeService } from '../daemon/service.ts';
import type { Metrics } from '../health/metrics.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';
import { observing } from './daemon/observing.ts';
import { tellingServices } from './daemon/telling.ts';

interface ServiceParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  /** For what a service knows at a scrape (`also`), and for what it counts. */
  readonly metrics: Metrics;
}

/** What `argus daemon` runs beside replication, in the order in which it is begun. */
export async function daemonServices(parts: ServiceParts): Promise<readonly MakeService[]> {
  const { context, composition, log, metrics } = parts;
  const { clock } = context;
  const { config, names, state } = composition;
  const regions = [...composition.regions.values()];
  return [
    ...(await tellingServices(parts)),
    observing(parts),
    readinessService({ config, regions, names, state, clock, log, metrics }),
  ];
}
