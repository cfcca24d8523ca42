import type { Log } from '../daemon/log.ts';
import { newBacklog } from '../daemon/notify/notify.ts';
import type { MakeService } from '../daemon/service.ts';
import { watchRuns } from '../daemon/watch-runs.ts';
import type { Board } from '../daemon/web/board.ts';
import type { Collector } from '../daemon/web/collect.ts';
import type { Metrics } from '../health/metrics.ts';
import type { ActingWatch } from '../state/acting-watch.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';
import { automaticServices } from './daemon/automatic.ts';
import { drillServices } from './daemon/drills.ts';
import { healFaults } from './daemon/heal-faults.ts';
import { daemonLife } from './daemon/life.ts';
import { observing } from './daemon/observing.ts';
import { readiness } from './daemon/readiness.ts';
import { samples } from './daemon/samples.ts';
import { telling } from './daemon/telling.ts';

interface ServiceParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  /** For what a service knows at a scrape (`also`), and for what it counts. */
  readonly metrics: Metrics;
  /** What the page and the API show. */
  readonly board: Board;
  /** The status that the page shows, for others who need it. */
  readonly looks: Collector;
  /** Whether anybody acts on the regions. */
  readonly acting: ActingWatch;
}

/** What `argus daemon` runs beside replication, in the order in which it is begun. */
export async function daemonServices(
  parts: ServiceParts & Pick<Parameters<typeof daemonLife>[0], 'inForce' | 'retune'>,
): Promise<readonly MakeService[]> {
  const backlog = newBacklog();
  const open = async (composition: Composition, metrics: Metrics) => {
    const now = { ...parts, composition, metrics };
    return [await telling({ ...now, backlog }), observing(now)];
  };
  // Only a reload reads the file again.
  const own = { ...parts, context: parts.inForce.context };
  const { composition, context, log, metrics, acting } = parts;
  const runs = watchRuns({ state: composition.state, clock: context.clock, log, metrics, acting });
  return [
    ...(await daemonLife({ ...parts, open })),
    runs,
    ...automaticServices(own),
    readiness(own),
    ...drillServices(own),
    healFaults(own),
    samples(own),
  ];
}
