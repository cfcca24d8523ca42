import { hostname, userInfo } from 'node:os';
import { localProcesses } from '../daemon/local-processes.ts';
import type { Log } from '../daemon/log.ts';
import { wallClock } from '../daemon/wall-clock.ts';
import { ArgusError } from '../domain/errors.ts';
import { configPath, loadConfig } from './config/load.ts';
import type { CommandContext } from './context.ts';
import { screenOf, type Teller, tellerBy } from './screen.ts';

/** The context of a real command line: the process' own streams, clocks and signals. */
export async function openContext(options: {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly plain?: boolean;
}): Promise<CommandContext> {
  const { env, stdin, stdout, stderr } = process;
  let hangup: (() => void) | undefined;
  const teller = tellerBy((text) => void stderr.write(text));
  const signal = interruptSignal(() => hangup, teller);
  const { json = false, verbose = false, plain = false } = options;
  const screen = screenOf(process, teller, { json, plain });
  return {
    env,
    json,
    verbose,
    signal,
    clock: wallClock,
    terminal: stdout.isTTY === true,
    ...(screen === undefined ? {} : { screen }),
    ...(options.config === undefined ? {} : { configFile: options.config }),
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    who: `${userName()}@${hostname()} (pid ${process.pid})`,
    processes: localProcesses,
    print: (text) => void stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    tell: teller.tell,
    ask: (question) => askAtTerminal(question, signal),
    loadConfig: () => loadConfig(configPath(options.config, env)),
    // A terminal that is closed ends what runs in it.
    ...(stdin.isTTY === true
      ? {}
      : {
          onHangup(act) {
            hangup = act;
          },
        }),
    openLog: () => openLog(verbose),
  };
}

/** The first Ctrl-C (or SIGTERM, SIGHUP) asks the command to end; a second one ends it at once. A command may have SIGHUP for itself. */
function interruptSignal(hangup: () => (() => void) | undefined, { tell }: Teller): AbortSignal {
  const stop = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    // The terminal was closed, or the connection to it was lost.
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      const own = signal === 'SIGHUP' ? hangup() : undefined;
      if (own !== undefined) return own();
      if (stop.signal.aborted) process.exit(code);
      stop.abort(new ArgusError('Interrupted', `interrupted by ${signal}`));
      if (signal === 'SIGINT' && process.stderr.isTTY) tell('\nstopping … (Ctrl-C again ends at once)');
    });
  }
  return stop.signal;
}

async function askAtTerminal(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    const leave = () => lines.close();
    signal.addEventListener('abort', leave, { once: true });
    // Ctrl-C and Ctrl-D close it as well: the terminal is in raw mode, so that no signal comes.
    lines.once('close', () => {
      signal.removeEventListener('abort', leave);
      process.stderr.write('\n');
      resolve(undefined);
    });
    lines.question(question, (answer) => {
      lines.removeAllListeners('close');
      signal.removeEventListener('abort', leave);
      lines.close();
      resolve(answer);
    });
  });
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
    setLevel(level) {
      logger.level = level;
    },
  };
}
