import type { Log } from '../../daemon/log.ts';
import { type NotifyBacklog, notify } from '../../daemon/notify/notify.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { openChannels } from '../open-channels.ts';

interface TellingParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What was taken in, and waits: kept over all reloads. */
  readonly backlog: NotifyBacklog;
}

/** What tells people what happens. Begun first, so that it ends last. */
export async function telling(parts: TellingParts): Promise<MakeService> {
  const { context, composition, log, metrics, backlog } = parts;
  const { clock, env } = context;
  const { config, folder } = composition;
  const { source, channels } = await openChannels(config, folder, env);
  return notify({ channels, source, clock, log, metrics, backlog });
}
