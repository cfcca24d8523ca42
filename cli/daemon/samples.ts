import type { Log } from '../../daemon/log.ts';
import { samplesService } from '../../daemon/samples.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';

/** Notes what reports plot. */
export function samples(parts: {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
}): MakeService {
  const { config, state } = parts.composition;
  const { every: everyMs, keep: keepMs } = config.reports.samples;
  return samplesService({ state, clock: parts.context.clock, log: parts.log, everyMs, keepMs });
}
