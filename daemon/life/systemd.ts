import { execFile } from 'node:child_process';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../log.ts';
import type { MakeService } from '../service.ts';

/** What systemd is told; keys and values of sd_notify(3). */
export type SystemdFields = Readonly<Record<string, string>>;

export interface Systemd {
  /** Never throws: that systemd can't be told is logged once, and systemd acts on its own. */
  tell(fields: SystemdFields): Promise<void>;
  /** How often the watchdog wants to hear something, at least; absent: it is off. */
  readonly watchdogMs?: number;
}

const tellMs = 3_000;

/**
 * systemd, where this process was started by it with `Type=notify`; undefined elsewhere. Told by the command
 * `systemd-notify`, since Node has no datagram sockets of the file system: the unit needs `NotifyAccess=all`.
 */
export function systemd(
  env: NodeJS.ProcessEnv,
  { log, pid }: { readonly log: Log; readonly pid: number },
): Systemd | undefined {
  if (!env.NOTIFY_SOCKET) return undefined;
  const { NOTIFY_SOCKET, PATH } = env;
  let said = false;
  const watchdogUsec = Number(env.WATCHDOG_USEC);
  const mine = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return {
    tell: (fields) =>
      new Promise((resolve) => {
        const args = Object.entries(fields).map(([key, value]) => `${key}=${value.replaceAll('\n', ' ')}`);
        const options = { timeout: tellMs, env: { NOTIFY_SOCKET, ...(PATH === undefined ? {} : { PATH }) } };
        execFile('systemd-notify', args, options, (error) => {
          if (error !== null && !said) log.warn({}, `systemd can't be told: ${error.message.trim()}`);
          said ||= error !== null;
          resolve();
        });
      }),
    ...(mine && watchdogUsec > 0 ? { watchdogMs: watchdogUsec / 1_000 } : {}),
  };
}

/** Tells systemd that the daemon has begun, what it does, and, twice in the watchdog's time, that it lives. */
export function systemdService(notify: Systemd, clock: Clock): MakeService {
  return (view) => ({
    name: 'systemd',
    async run(signal) {
      const status = () => {
        const order = view.order();
        const roles = view.roles();
        if (order?.kind === 'run' && roles) return `replicates ${roles.primary} to ${roles.standby}`;
        return order?.kind === 'idle' ? order.why : 'starts';
      };
      await notify.tell({ READY: '1', STATUS: status() });
      const periodMs = notify.watchdogMs === undefined ? 30_000 : notify.watchdogMs / 2;
      while (!signal.aborted) {
        await clock.sleep(periodMs, signal).catch(() => undefined);
        if (signal.aborted) return;
        const beat: SystemdFields = notify.watchdogMs === undefined ? {} : { WATCHDOG: '1' };
        await notify.tell({ ...beat, STATUS: status() });
      }
    },
  });
}
