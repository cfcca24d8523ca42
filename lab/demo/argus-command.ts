import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { siblingEntry } from '../entry.ts';

const main = siblingEntry(import.meta.url, '../../cli/main');

export interface ArgusRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ArgusSettings {
  readonly configPath: string;
  /** The secrets that `argus.yaml` refers to. */
  readonly env: Readonly<Record<string, string>>;
}

/** Runs one `argus` command as an operator would: a process of its own, with its exit code. */
export function argus(
  settings: ArgusSettings,
  args: readonly string[],
  options: {
    readonly signal?: AbortSignal;
    readonly onStderr?: (text: string) => void;
    readonly timeoutMs?: number;
  } = {},
): Promise<ArgusRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, '--config', settings.configPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...settings.env },
      ...(options.signal && { signal: options.signal }),
    });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 240_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onStderr?.(text);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? 137, stdout, stderr });
    });
  });
}

export interface DaemonProcess {
  readonly process: ChildProcess;
  /** Asks it to end, and waits until it has; after 10 s it is killed. */
  stop(): Promise<void>;
}

/** Starts `argus daemon`; its log goes to `logPath`. */
export function startDaemon(settings: ArgusSettings, logPath: string): DaemonProcess {
  const child = spawn(process.execPath, [main, '--config', settings.configPath, 'daemon'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...settings.env },
  });
  const log = createWriteStream(logPath, { flags: 'a' });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
      log.end();
    },
  };
}
