import { CommanderError } from 'commander';
import { argusProgram } from '../../cli/program.ts';
import { reportError } from '../../cli/report-error.ts';
import { asksForJson } from '../../cli/usage-error.ts';

export interface GivenCommand {
  readonly words: readonly string[];
  /** It runs until it is told to end, after so long. */
  readonly endAfterMs?: number;
}

export interface EndedCommand {
  readonly words: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/**
 * Runs a command of argus through the whole command line, as `argus` itself does, within this process: it saves the start
 * of one. One at a time: what is written to stdout and stderr meanwhile is taken for the command's.
 */
export async function runCommand({ words, endAfterMs }: GivenCommand): Promise<EndedCommand> {
  const from = performance.now();
  let exitCode = 0;
  const written = { stdout: '', stderr: '' };
  const write = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const stream of ['stdout', 'stderr'] as const) {
    process[stream].write = ((text: string | Uint8Array, ...rest: readonly unknown[]) => {
      written[stream] += typeof text === 'string' ? text : Buffer.from(text).toString();
      for (const each of rest) if (typeof each === 'function') each();
      return true;
    }) as typeof process.stdout.write;
  }
  // Not before it listens for that: it would end this process.
  const listens = () => process.listenerCount('SIGTERM') > 0 && performance.now() - from > (endAfterMs ?? 0);
  const tellIt = () => listens() && clearInterval(end) === undefined && process.kill(process.pid, 'SIGTERM');
  const end = endAfterMs === undefined ? undefined : setInterval(tellIt, 50);
  try {
    await argusProgram(
      (code) => {
        exitCode = code;
      },
      (program) => program.exitOverride(),
    ).parseAsync(['node', 'argus', ...words]);
  } catch (error) {
    if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      const report = reportError(error, { json: asksForJson(words), verbose: false });
      written.stderr += report.text;
      exitCode = report.exitCode;
    }
  }
  clearInterval(end);
  process.stdout.write = write.stdout;
  process.stderr.write = write.stderr;
  // Each command listens for itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  return { words, exitCode, ...written, ms: Math.round(performance.now() - from) };
}
