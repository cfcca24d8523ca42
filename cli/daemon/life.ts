import { boundStop } from '../../daemon/life/bound-stop.ts';
import { decideReload } from '../../daemon/life/decide-reload.ts';
import { exchangeableServices } from '../../daemon/life/exchange-services.ts';
import { type Systemd, systemd, systemdService } from '../../daemon/life/systemd.ts';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Config } from '../../domain/config.ts';
import { describeError } from '../../domain/errors.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import type { InForce } from './in-force.ts';

interface LifeParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  /** Begins as the file had it when the daemon began. */
  readonly inForce: InForce;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Makes the services whose settings may change; throws when they can't be made of this configuration. */
  readonly open: (composition: Composition, metrics: Metrics) => Promise<readonly MakeService[]>;
  /** What else takes over new settings, at once; can't fail. */
  readonly retune: (composition: Composition) => void;
}

/**
 * How the daemon lives with whoever runs it: systemd is told what it does, SIGHUP reads the configuration anew, and an
 * end that takes too long is cut short.
 */
export async function daemonLife(parts: LifeParts): Promise<readonly MakeService[]> {
  const { context, composition, log, metrics, open } = parts;
  const { clock, signal, env } = context;
  boundStop(signal, { log, exit: process.exit });
  setLevel(context, log, parts.inForce.now().config);
  const notify = systemd(env, { log, pid: process.pid });
  signal.addEventListener('abort', () => void notify?.tell({ STOPPING: '1', STATUS: 'ends' }), { once: true });

  let scope = scoped(metrics);
  const services = exchangeableServices(await open(composition, scope.metrics), { clock, log });
  const reload = async () => {
    const loaded = await context.loadConfig();
    const { config } = loaded;
    const decision = decideReload(parts.inForce.now().config, config);
    if (decision.kind === 'needs-restart') {
      const sections = decision.changed.join(', ');
      log.error(
        { sections: decision.changed },
        `not reloaded: ${sections} can't change while the daemon runs. Nothing of the new configuration is in force; restart the daemon`,
      );
      return;
    }
    const next = { ...composition, config: { ...config, topics: composition.config.topics } };
    const opened = scoped(metrics);
    try {
      await services.exchange(await open(next, opened.metrics));
    } catch (error) {
      opened.end();
      throw error;
    }
    scope.end();
    scope = opened;
    parts.retune(next);
    setLevel(context, log, config);
    parts.inForce.takeOver(loaded);
    const what =
      decision.changed.length === 0 ? 'nothing has changed but, maybe, secrets' : decision.changed.join(', ');
    log.info({ sections: decision.changed }, `reloaded: ${what}`);
  };
  onHangup(parts, notify, reload);
  return [services.make, ...(notify ? [systemdService(notify, clock)] : [])];
}

/** One reload at a time; a SIGHUP that comes meanwhile is followed by one more. */
function onHangup({ context, log }: LifeParts, notify: Systemd | undefined, reload: () => Promise<void>): void {
  let busy = false;
  let again = false;
  const act = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      const monotonicUsec = (process.hrtime.bigint() / 1_000n).toString();
      await notify?.tell({ RELOADING: '1', MONOTONIC_USEC: monotonicUsec });
      await reload().catch((error: unknown) => {
        log.error({}, `not reloaded, the old configuration stays in force: ${describeError(error)}`);
      });
      await notify?.tell({ READY: '1' });
    } while (again && !context.signal.aborted);
    busy = false;
  };
  context.onHangup?.(() => void act());
}

function setLevel({ verbose }: CommandContext, log: Log, { daemon }: Config): void {
  log.setLevel?.(verbose ? 'debug' : (daemon.logLevel ?? 'info'));
}

/** Metrics whose added sources go when their services are gone. */
function scoped(metrics: Metrics): { readonly metrics: Metrics; end(): void } {
  const added: (() => void)[] = [];
  return {
    metrics: {
      ...metrics,
      also(source) {
        const remove = metrics.also(source);
        added.push(remove);
        return remove;
      },
    },
    end() {
      for (const remove of added.splice(0)) remove();
    },
  };
}
