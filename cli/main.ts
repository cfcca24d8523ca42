#!/usr/bin/env node
// The argus command. Only commander is loaded here, in program.ts and in families/; every command brings the rest itself.
import { CommanderError } from 'commander';
import { argusProgram } from './program.ts';
import { asksForJson, usageError } from './usage-error.ts';

const asJson = asksForJson(process.argv.slice(2));
let complaint = '';
let exitCode = 0;
const program = argusProgram(
  (code) => {
    exitCode = code;
  },
  (made) =>
    made
      .exitOverride()
      .configureOutput({
        // As JSON a wrong call is reported below, like every error.
        writeErr: (text) => {
          if (asJson) complaint += text;
          else process.stderr.write(text);
        },
      })
      .showHelpAfterError('(see --help)'),
);

// A reader that has seen enough (`argus status | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCode);
});
// A terminal that is gone must not end a run in its midst; the journal has everything.
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError && (error.exitCode === 0 || !asJson)) exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { reportError } = await import('./report-error.ts');
    const { verbose = false } = program.opts<{ readonly verbose?: boolean }>();
    const caught = error instanceof CommanderError ? usageError(complaint) : error;
    const report = reportError(caught, { json: asJson, verbose });
    process.stderr.write(report.text);
    exitCode = report.exitCode;
  }
}
// A connection to a region that hangs must not keep the command alive.
const flushed = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(exitCode);
