import { spawn } from 'node:child_process';
import { describeError } from '../../domain/errors.ts';
import type { HookAnswer, HookCall } from './hook-steps.ts';

/** So much of what a hook says is kept. */
const keptBytes = 2_000;
/** How long a program has to end by itself once it was told to. */
const politeMs = 2_000;
/** What a program inherits: nothing in it is a secret of Argus. */
const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

export interface ProgramHook {
  readonly command: readonly string[];
  /** Where relative paths start. */
  readonly folder: string;
  /** Values: all of them secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface RequestHook {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Values that may stand nowhere. */
  readonly secrets: readonly string[];
}

/** Runs a program in a group of its own, which ends with the time-out or the signal. Success is exit code 0. */
export async function callProgram(hook: ProgramHook, about: HookCall, signal: AbortSignal): Promise<HookAnswer> {
  const [program = '', ...args] = hook.command;
  const own = Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const timeout = AbortSignal.timeout(hook.timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: hook.folder,
    env: { ...own, ...variables(about), ...hook.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4 * keptBytes);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const kill = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, how);
    } catch {
      // It has ended meanwhile.
    }
  };
  let hard: NodeJS.Timeout | undefined;
  const end = () => {
    kill('SIGTERM');
    hard = setTimeout(() => {
      kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    }, politeMs);
  };
  stop.addEventListener('abort', end, { once: true });
  try {
    const result = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`no start: ${describeError(error)}`));
      child.once('close', (code, by) => resolve(code === null ? `signal ${by}` : `exit code ${code}`));
    });
    signal.throwIfAborted();
    const output = excerpt(said, Object.values(hook.env));
    if (timeout.aborted) return { ok: false, result: `no end within ${hook.timeoutMs / 1_000} s`, output };
    return { ok: result === 'exit code 0', result: without(result, Object.values(hook.env)), output };
  } finally {
    stop.removeEventListener('abort', end);
    clearTimeout(hard);
    // What it left in the background.
    kill('SIGKILL');
  }
}

/** Sends what the hook is about as JSON. Success is a status of 2xx; redirections are not followed. */
export async function callUrl(hook: RequestHook, about: HookCall, signal: AbortSignal): Promise<HookAnswer> {
  const timeout = AbortSignal.timeout(hook.timeoutMs);
  const { url, method, headers, secrets } = hook;
  try {
    const answer = await fetch(url, {
      method,
      headers: { ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(method === 'GET' ? {} : { body: JSON.stringify(about) }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await answer.text();
    return { ok: answer.ok, result: `status ${answer.status}`, output: excerpt(text, secrets) };
  } catch (error) {
    signal.throwIfAborted();
    const why = timeout.aborted ? `no answer within ${hook.timeoutMs / 1_000} s` : describeError(error);
    return { ok: false, result: without(why, secrets), output: '' };
  }
}

/** `{ runbook: 'failover' }` → `ARGUS_RUNBOOK=failover` */
const variables = (about: HookCall) =>
  Object.fromEntries(Object.entries(about).map(([key, value]) => [`ARGUS_${key.toUpperCase()}`, String(value)]));

const excerpt = (text: string, secrets: readonly string[]) => without(text, secrets).trim().slice(-keptBytes);

function without(text: string, secrets: readonly string[]): string {
  return secrets.filter((s) => s !== '').reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}
