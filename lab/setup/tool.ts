import { spawn } from 'node:child_process';
import { ArgusError } from '../../domain/errors.ts';

/** What every tool of the set-up is run with. */
export interface ToolContext {
  readonly signal?: AbortSignal;
  /** Gets a few words about what is being done now; may be called often. */
  detail?(text: string): void;
}

export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the operator does when it fails. */
  readonly hint: string;
  /** Gets the tool's process id, for one that is to be stopped by a signal of its own. */
  started?(pid: number): void;
  /** Turns a line of the tool's output into progress; undefined for a line that says nothing. */
  progress?(line: string): string | undefined;
}

const tailLines = 25;
const killAfterMs = 5_000;

/** Process groups that must not outlive this process, however it ends. */
const running = new Set<number>();
let watching = false;

/**
 * Runs a tool to its end in a process group of its own and gives its standard output.
 * Throws `SetupFailed` with the end of its output when it fails or can't be started, and the signal's reason after an
 * abort, when all of the group is gone.
 */
export async function runTool(run: ToolRun, context: ToolContext = {}): Promise<string> {
  context.signal?.throwIfAborted();
  const started = spawn(run.command, run.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    env: { ...process.env, ...run.env },
  });
  const group = started.pid;
  if (group !== undefined) {
    track(group);
    run.started?.(group);
  }
  const tail: string[] = [];
  let output = '';
  const onLine = (line: string): void => {
    if (line.trim() === '') return;
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    const text = run.progress?.(line);
    if (text !== undefined) context.detail?.(text);
  };
  const flushOut = eachLine(started.stdout, (line) => {
    output += `${line}\n`;
    onLine(line);
  });
  const flushErr = eachLine(started.stderr, onLine);

  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    if (group === undefined) return;
    killGroup(group, 'SIGTERM');
    killTimer = setTimeout(() => killGroup(group, 'SIGKILL'), killAfterMs);
  };
  context.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      started.on('error', reject);
      started.on('close', (code, signal) => resolve({ code, signal }));
    });
    flushOut();
    flushErr();
    context.signal?.throwIfAborted();
    if (ended.code === 0) return output;
    const how = ended.code === null ? `was ended by ${ended.signal}` : `ended with exit code ${ended.code}`;
    const text = tail.length === 0 ? '' : `\n${tail.map((line) => `  | ${line}`).join('\n')}`;
    throw new ArgusError('SetupFailed', `${run.command} ${how}${text}`, { hint: run.hint });
  } catch (error) {
    if (error instanceof ArgusError || context.signal?.aborted) throw error;
    throw new ArgusError('SetupFailed', `${run.command} could not be started`, { hint: run.hint, cause: error });
  } finally {
    clearTimeout(killTimer);
    context.signal?.removeEventListener('abort', onAbort);
    if (group !== undefined) {
      // A compiler that the tool started may still write into the folder that is removed next.
      killGroup(group, 'SIGKILL');
      running.delete(group);
    }
  }
}

function track(group: number): void {
  running.add(group);
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const each of running) killGroup(each, 'SIGKILL');
  });
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}

/** Calls back for each line of a stream; the returned function hands out what came after the last line end. */
function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return () => onLine(rest);
}
