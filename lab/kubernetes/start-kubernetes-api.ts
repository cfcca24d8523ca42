import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { ensureKubernetes } from '../setup/kubernetes.ts';
import type { SetupEvent } from '../setup/part.ts';

export interface KubernetesApiOptions {
  /** Everything that it keeps lies here: data, keys, log. At another start with the same folder it is still there. */
  readonly dir: string;
  /** On 127.0.0.1; the one port that it opens. */
  readonly port: number;
  /**
   * What runs beside the API server. Without the controller manager no namespace ever finishes its deletion, nothing
   * that is owned goes with its owner, and namespaces get no service account.
   */
  readonly with?: readonly ('controller-manager' | 'scheduler')[];
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (event: SetupEvent) => void;
  /** Until it is ready; default 120 s. */
  readonly timeoutMs?: number;
}

/** A Kubernetes without nodes: its objects are real, and no pod ever runs. */
export interface KubernetesApiServer {
  readonly pid: number;
  readonly server: string;
  /** File with the access of a user who may do everything. */
  readonly kubeconfig: string;
  /** Folder with its keys: `ca.crt`, `ca.key`, `service-accounts.key` … */
  readonly dir: string;
  readonly logFile: string;
  /** Its binary; `kubectl` is its first argument for that. */
  readonly binary: string;
  /** SIGSTOP: connections are accepted by the kernel and never answered. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL; resolves when it is gone. May be called again. */
  kill(): Promise<void>;
}

const readyLine = 'argus-kubernetes: ready';

/**
 * Starts etcd and the API server, and what else is asked for, as one process of any user; ready when the API server
 * says so and can be asked through the kubeconfig. It ends with this process, however that ends. Builds the program
 * where it is missing, which takes minutes.
 */
export async function startKubernetesApi(options: KubernetesApiOptions): Promise<KubernetesApiServer> {
  const { dir, port } = options;
  const signal = options.signal ?? new AbortController().signal;
  const binary = await ensureKubernetes(signal, options.progress ?? (() => undefined));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const logFile = join(dir, 'control.log');
  const log = openSync(logFile, 'w', 0o600);
  const extra = options.with ?? [];
  const child = spawn(
    binary,
    [
      'up',
      '--dir',
      dir,
      '--port',
      `${port}`,
      '--with-parent',
      ...(extra.length === 0 ? [] : ['--with', extra.join(',')]),
    ],
    // Its standard input is a pipe that only this process holds: the program ends when it is closed.
    { stdio: ['pipe', log, log], cwd: dir },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await ready(child, logFile, ended, options.timeoutMs ?? 120_000, signal);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    server: `https://127.0.0.1:${port}`,
    kubeconfig: join(dir, 'kubeconfig'),
    dir,
    logFile,
    binary,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill,
  };
}

async function ready(
  child: ChildProcess,
  logFile: string,
  ended: Promise<void>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const endsAt = performance.now() + timeoutMs; ; ) {
    const log = readFileSync(logFile, 'utf8');
    if (log.includes(readyLine)) return;
    if (gone || performance.now() > endsAt) {
      const tail = log.trimEnd().split('\n').slice(-15);
      const how = gone ? `ended (${child.exitCode ?? child.signalCode ?? 'not started'})` : 'is not ready';
      throw new ArgusError(
        'ComponentFailed',
        [`the Kubernetes API server ${how}; ${logFile} ends with:`, ...tail.map((line) => `  | ${line}`)].join('\n'),
        { hint: 'see whether the port is free, and whether the folder can be written' },
      );
    }
    await sleep(50, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
