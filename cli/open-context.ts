import { hostname, userInfo } from 'node:os';
import type { Log } from '../daemon/log.ts';
import { wallClock } from '../daemon/wall-clock.ts';
import { ArgusError } from '../domain/errors.ts';
import { configPath, loadConfig } from './config/load.ts';
import type { CommandContext } from './context.ts';

/** The context of a real command line: the process' own streams, clocks and signals. */
export async function openContext(options: {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}): Promise<CommandContext> {
  const { env, stdin, stdout, stderr } = process;
  const verbose = options.verbose ?? false;
  return {
    env,
    json: options.json ?? false,
    verbose,
    signal: interruptSignal(),
    clock: wallClock,
    terminal: stdout.isTTY === true,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    who: `${userName()}@${hostname()} (pid ${process.pid})`,
    print: (text) => void stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    tell: (text) => void stderr.write(text.endsWith('\n') ? text : `${text}\n`),
    loadConfig: () => loadConfig(configPath(options.config, env)),
    openLog: () => openLog(verbose),
  };
}

/** The first Ctrl-C (or SIGTERM) asks the command to end; a second one ends it at once. */
function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      stop.abort(new ArgusError('Interrupted', `interrupted by ${signal}`));
      if (signal === 'SIGINT' && process.stderr.isTTY)
        process.stderr.write('\nstopping … (Ctrl-C again ends at once)\n');
    });
  }
  return stop.signal;
}

/** A user without an entry in the system's list has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

async function openLog(verbose: boolean): Promise<Log> {
  const { pino, destination } = await import('pino');
  const logger = pino(
    {
      level: verbose ? 'debug' : 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 2, sync: true }),
  );
  return {
    debug: (facts, message) => logger.debug(facts, message),
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
  };
}
