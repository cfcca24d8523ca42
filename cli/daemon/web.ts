import type { EventHub } from '../../daemon/events.ts';
import type { HttpParts } from '../../daemon/http/serve-daemon.ts';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import { acknowledgeRoute } from '../../daemon/web/acknowledge-route.ts';
import { apiRoutes } from '../../daemon/web/api-routes.ts';
import { type Board, newBoard } from '../../daemon/web/board.ts';
import { type Collector, collector } from '../../daemon/web/collect.ts';
import { followRuns } from '../../daemon/web/follow-runs.ts';
import { pageRoutes } from '../../daemon/web/page-routes.ts';
import { alertRoute } from '../../daemon/webhook/alert-route.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { ActingWatch } from '../../state/acting-watch.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { alertDeskOf } from './alerts.ts';
import { httpSettings } from './http-settings.ts';

interface WebParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether anybody acts on the regions. */
  readonly acting: ActingWatch;
}

/** What `argus daemon` serves over HTTP beside metrics and health, and what fills it. */
export async function daemonWeb({ context, composition, log, metrics, acting }: WebParts): Promise<{
  readonly http: HttpParts;
  /** What is shown. */
  readonly board: Board;
  /** What it is filled with, for others who need it. */
  readonly looks: Collector;
  readonly services: readonly MakeService[];
  /** From now on alerts lead to what this configuration says. */
  retune(composition: Composition): void;
}> {
  const { clock } = context;
  const { config, folder, regions, names, state } = composition;
  const settings = await httpSettings(config.daemon, folder, context.env);
  if (settings.access.readableOnTheWay) {
    const mend = 'set daemon.http.tls, or daemon.http.plaintext where a proxy in front has TLS';
    log.warn({ host: config.daemon.host }, `metrics and page are served without TLS beyond this machine: ${mend}`);
  }
  const board = newBoard(() => clock.monotonic());
  const sources = { config, regions: [...regions.values()], names, state, clock };
  const looks = collector({ board, sources });
  const page = pageRoutes({ board, clock, objectiveRpoMs: config.objectives.rpo });
  let events: EventHub | undefined;
  const deskOf = (now: Composition) =>
    alertDeskOf({ context, composition: now, log, metrics, board, looks, events: () => events });
  let desk = deskOf(composition);
  return {
    board,
    looks,
    retune(now) {
      desk = deskOf(now);
    },
    http: {
      settings,
      routes: [
        ...page.routes,
        ...apiRoutes(board),
        alertRoute({ answer: (message, signal) => desk.answer(message, signal) }),
        acknowledgeRoute(state, clock),
      ],
    },
    services: [
      (view) => {
        events = view.events;
        return looks.service(view);
      },
      () => followRuns({ board, state, clock, acting }),
      ...page.services.map(
        (make): MakeService =>
          (view) =>
            make(view.events),
      ),
    ],
  };
}
