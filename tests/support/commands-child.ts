// A process that runs commands of argus one after the other, each through the whole command line, as `argus` itself
// does; it saves the start of a process for each. Arguments: a file with the commands, and one for what became of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { argusProgram } from '../../cli/program.ts';
import { reportError } from '../../cli/report-error.ts';

interface GivenCommand {
  readonly words: readonly string[];
  /** It runs until it is told to end, after so long. */
  readonly endAfterMs?: number;
}

const [, , commandsFile = '', resultsFile = ''] = process.argv;
const given = JSON.parse(readFileSync(commandsFile, 'utf8')) as readonly GivenCommand[];
const results: { words: readonly string[]; exitCode: number; stdout: string; stderr: string; ms: number }[] = [];

for (const { words, endAfterMs } of given) {
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
      const report = reportError(error, { json: false, verbose: false });
      written.stderr += report.text;
      exitCode = report.exitCode;
    }
  }
  clearInterval(end);
  process.stdout.write = write.stdout;
  process.stderr.write = write.stderr;
  // Each command listens for itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  results.push({ words, exitCode, ...written, ms: Math.round(performance.now() - from) });
}
writeFileSync(resultsFile, JSON.stringify(results));
process.exit(0);
