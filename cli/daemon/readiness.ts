import type { Log } from '../../daemon/log.ts';
import { readinessService } from '../../daemon/readiness.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Board } from '../../daemon/web/board.ts';
import type { Collector } from '../../daemon/web/collect.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';

interface ReadinessParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly board: Board;
  readonly looks: Pick<Collector, 'fresh'>;
}

/** Readiness each minute, on the page and in the API as well as in the state. */
export function readiness({ context, composition, log, metrics, board, looks }: ReadinessParts): MakeService {
  const { config, names, state } = composition;
  const regions = [...composition.regions.values()];
  return readinessService({
    ...{ config, regions, names, state, clock: context.clock, log, metrics },
    look: looks.fresh,
    onJudged({ atMs, status: colour, sentence, rto, rpoMs, blockers }) {
      const word = {
        ...{ atMs, colour, sentence, blockers },
        ...(rto === undefined ? {} : { rtoMs: rto.ms }),
        ...(rpoMs === undefined ? {} : { rpoMs }),
      };
      board.put({ standing: { ...board.facts().standing, readiness: word } });
    },
  });
}
