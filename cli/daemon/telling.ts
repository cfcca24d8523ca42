import type { Log } from '../../daemon/log.ts';
import { notify } from '../../daemon/notify/notify.ts';
import type { MakeService } from '../../daemon/service.ts';
import { watchRuns } from '../../daemon/watch-runs.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { openChannels } from '../open-channels.ts';

interface TellingParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What tells people and Prometheus of runs and of everything else that happens. Begun first, so that it ends last. */
export async function tellingServices(parts: TellingParts): Promise<readonly MakeService[]> {
  const { context, composition, log, metrics } = parts;
  const { clock, env } = context;
  const { config, folder, state } = composition;
  const { source, channels } = await openChannels(config, folder, env);
  const told = channels.length === 0 ? [] : [notify({ channels, source, clock, log, metrics })];
  return [...told, watchRuns({ state, clock, log, metrics })];
}
