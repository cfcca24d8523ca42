import type { EventHub } from '../../daemon/events.ts';
import type { Log } from '../../daemon/log.ts';
import type { Board } from '../../daemon/web/board.ts';
import type { Collector } from '../../daemon/web/collect.ts';
import { type AlertDesk, alertDesk } from '../../daemon/webhook/desk.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { Metrics } from '../../health/metrics.ts';
import { readRoles } from '../../state/roles.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { automaticActions } from './automatic.ts';

interface AlertParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'alertReceived'>;
  readonly board: Board;
  readonly looks: Collector;
  /** Where a proposal is told; undefined until the daemon runs. */
  readonly events: () => EventHub | undefined;
}

/** What Alertmanager's webhook leads to: the daemon's own looks, the command's own plan, and automatic mode's own word. */
export function alertDeskOf({ context, composition, log, metrics, board, looks, events }: AlertParts): AlertDesk {
  const { clock, who } = context;
  const { config, state } = composition;
  const { propose } = automaticActions(context, log, who);
  return alertDesk({
    settings: config.alerts,
    state,
    clock,
    log,
    count: (result, alerts) => metrics.alertReceived(result, alerts),
    actions: {
      status: (maxAgeMs, signal) => looks.statusOf(maxAgeMs, signal),
      automatic() {
        const { decision } = board.facts().standing;
        return decision && { kind: decision.kind, sentence: decision.sentence, reasons: decision.reasons };
      },
      async propose(reason, signal) {
        const { primary: from, standby: to } = (await readRoles(state, { signal })) ?? config.roles;
        const found = await propose({ from, to, reason, acceptUnfenced: false }, signal).catch((error: unknown) => {
          // What refuses even a plan is what stands in its way.
          if (!(error instanceof ArgusError)) throw error;
          return [{ code: error.code, message: error.message }];
        });
        const command = `argus failover --reason '${reason.replaceAll(/[^\x20-\x7e]|'/g, '')}'`;
        const sentence = `a failover from ${from} to ${to} was prepared, and waits for a person: ${reason}`;
        const proposal = { sentence, command, blockers: found };
        events()?.emit({ kind: 'failover-proposed', from, to, ...proposal, atMs: clock.now() });
        return proposal;
      },
    },
  });
}
