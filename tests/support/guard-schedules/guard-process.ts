import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../../cli/main.ts');

/** `argus guard` of one region, as a process of its own. */
export interface GuardProcess {
  /** What it and those before it said. */
  said(): string;
  /** The one that runs now has begun to guard. */
  isUp(): boolean;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Kills it (SIGKILL), and starts another one. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the guard of a region with a configuration of its own. */
export function startGuard(region: string, configPath: string, env: Readonly<Record<string, string>>): GuardProcess {
  let said = '';
  let saidBefore = 0;
  let child: ChildProcess;
  const start = () => {
    child = spawn(process.execPath, [main, '--config', configPath, 'guard', '--region', region], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  start();
  return {
    said: () => said,
    isUp: () => said.indexOf(`guarding ${region}`, saidBefore) >= 0,
    signal: (name) => void child.kill(name),
    async restart() {
      await kill();
      saidBefore = said.length;
      start();
    },
    stop: kill,
  };
}
