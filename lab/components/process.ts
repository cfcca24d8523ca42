import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { within } from '../cluster/within.ts';
import { componentMark, labMark } from './process-table.ts';

/** What the start of a process needs to know of its lab. */
export interface ProcessLab {
  readonly id: string;
  readonly dir: string;
  /** By region: the process that holds the namespaces of its node; what belongs to the region is started in them. */
  readonly holders?: Readonly<Record<string, number>>;
}

export interface ComponentSpec {
  /** `mumbai/kafka`. */
  readonly component: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A component that was started: alive or not, its output goes to `logPath`. */
export interface StartedComponent {
  readonly component: string;
  readonly pid: number;
  readonly logPath: string;
  /**
   * Done when `check` gives true. `ComponentFailed`, with the end of its log, when the process ends first or the time
   * is over; the signal's reason after an abort.
   */
  ready(check: (signal: AbortSignal) => Promise<boolean>, options: ReadyOptions): Promise<void>;
}

export interface ReadyOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly everyMs?: number;
}

/** Where a component's output goes. */
export function logPathOf(dir: string, component: string): string {
  return join(dir, 'logs', `${component.replaceAll('/', '-')}.log`);
}

/** Starts a component in a process group and session of its own, which outlives us; its output is appended to its log. */
export function startComponent(lab: ProcessLab, spec: ComponentSpec): StartedComponent {
  const logPath = logPathOf(lab.dir, spec.component);
  mkdirSync(dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'a', 0o600);
  writeSync(log, `--- ${new Date().toISOString()} ${spec.command} ${spec.args.at(-1) ?? ''}\n`);
  let ended: string | undefined;
  const [command, args] = placed(lab, spec);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: spec.cwd ?? lab.dir,
    env: { ...process.env, ...spec.env, [labMark]: lab.id, [componentMark]: spec.component },
  });
  closeSync(log);
  child.on('error', (error) => {
    ended = `could not be started: ${error.message}`;
  });
  child.on('exit', (code, signal) => {
    ended = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
  });
  child.unref();
  const failed = (why: string): ArgusError =>
    new ArgusError('ComponentFailed', `${spec.component} ${why}${logTail(logPath)}`, {
      hint: `its whole output was in ${logPath}; a lab needs about 4 GiB of free memory`,
    });
  return {
    component: spec.component,
    pid: child.pid ?? -1,
    logPath,
    async ready(check, options) {
      const deadline = performance.now() + options.timeoutMs;
      for (;;) {
        options.signal?.throwIfAborted();
        if (ended !== undefined) throw failed(ended);
        const timeout = AbortSignal.timeout(2_000);
        const ok = await check(options.signal ? AbortSignal.any([options.signal, timeout]) : timeout).catch(
          () => false,
        );
        if (ok) return;
        if (performance.now() > deadline) throw failed(`is not ready after ${Math.round(options.timeoutMs / 1000)} s`);
        await sleep(options.everyMs ?? 100, undefined, options.signal ? { signal: options.signal } : {});
      }
    },
  };
}

/** Runs a tool of the lab to its end; its output goes to the log of `component`. `ComponentFailed` when it fails. */
export async function runToEnd(lab: ProcessLab, spec: ComponentSpec, options: ReadyOptions): Promise<void> {
  const done = join(lab.dir, 'logs');
  mkdirSync(done, { recursive: true });
  const logPath = logPathOf(lab.dir, spec.component);
  const log = openSync(logPath, 'a', 0o600);
  const [command, args] = placed(lab, spec);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: spec.cwd ?? lab.dir,
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...spec.env, [labMark]: lab.id, [componentMark]: spec.component },
    ...(options.signal && { signal: options.signal }),
  });
  closeSync(log);
  const how = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
  if (how !== undefined) throw new ArgusError('ComponentFailed', `${spec.component} ${how}${logTail(logPath)}`);
}

/** The command line by which a component runs where its region is. */
function placed({ holders }: ProcessLab, { component, command, args }: ComponentSpec): [string, readonly string[]] {
  const holderPid = holders?.[component.split('/')[0] ?? ''];
  if (holderPid === undefined) return [command, args];
  const [first = command, ...rest] = within(holderPid, command, args);
  return [first, rest];
}

function logTail(path: string): string {
  let lines: string[] = [];
  try {
    lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-15);
  } catch {
    // No log was written: there is nothing to add.
  }
  return lines.map((line) => `\n  | ${line.slice(0, 300)}`).join('');
}
