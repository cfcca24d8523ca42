import { hostname } from 'node:os';
import { watchDrills } from '../../daemon/drill-runs.ts';
import { type DrillOrder, type DrillOutcome, drillSchedule } from '../../daemon/drill-schedule.ts';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Board } from '../../daemon/web/board.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import type { DrillRunOptions } from '../drill/drill-options.ts';
import { withoutAPerson } from './without-a-person.ts';

interface DrillParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly board: Board;
}

/** What tells of drills, and what begins them by the schedule where there is one. */
export function drillServices({ context, composition, log, metrics, board }: DrillParts): readonly MakeService[] {
  const { config, state } = composition;
  const { clock, processes } = context;
  const { schedule } = config.drill;
  const watch = watchDrills({
    ...{ state, clock, log, metrics, schedule: schedule ?? [] },
    onNews: (drills) => board.put({ drills }),
  });
  if (schedule === undefined) return [watch];
  const who = `argus schedule on ${hostname()} (pid ${process.pid})`;
  const observed = config.automatic.observers.length > 0;
  const drill = drillOf(context, log, who);
  return [watch, drillSchedule({ schedule, observed, state, clock, log, who, processes, drill })];
}

const byKind = { isolated: {}, tabletop: { planOnly: true }, switchover: { switchover: true } } as const;

/** The very command that a person would type, with nobody to ask, by the configuration in force. */
function drillOf(context: CommandContext, log: Log, who: string) {
  return async ({ kind, trigger, reason, stayMs }: DrillOrder, signal: AbortSignal): Promise<DrillOutcome> => {
    const [{ audited }, module] = [await import('../audited.ts'), import('../commands/drill-run.ts')];
    const { run } = await audited('drill run', module);
    const stay = stayMs === undefined ? {} : { stay: stayMs };
    const options: DrillRunOptions = { ...byKind[kind], ...stay, yes: true, reason, trigger };
    try {
      return { kind: 'ended', exitCode: await run(withoutAPerson(context, log, who, signal), options) };
    } catch (error) {
      if (!(error instanceof ArgusError)) throw error;
      return { kind: 'refused', code: error.code, message: error.message, passing: error.retryable };
    }
  };
}
