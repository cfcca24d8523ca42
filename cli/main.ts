#!/usr/bin/env node
// The argus command. Only commander is loaded here and in families/; every command brings the rest itself.
import { Command, CommanderError } from 'commander';
import { commandLine } from './command-line.ts';
import { alertCommands } from './families/alerts.ts';
import { automaticCommands } from './families/automatic.ts';
import { checkpointCommands } from './families/checkpoints.ts';
import { configurationCommands } from './families/configuration.ts';
import { dnsCommands } from './families/dns.ts';
import { failbackCommands } from './families/failback.ts';
import { mirrorCommands } from './families/mirror.ts';
import { roleCommands } from './families/role.ts';
import { runbookCommands } from './families/runbooks.ts';
import { standingCommands } from './families/standing.ts';
import { asksForJson, usageError } from './usage-error.ts';

const asJson = asksForJson(process.argv.slice(2));
let complaint = '';

const program = new Command('argus')
  .description(
    'Disaster recovery for Kafka and Flink: one consistent recovery point, a fenced failover, a measured RTO and RPO.',
  )
  .version('0.1.0')
  .option('-c, --config <file>', 'the configuration (default: $ARGUS_CONFIG, else ./argus.yaml)')
  .option('--json', 'print results as JSON on stdout, errors as JSON on stderr')
  .option('-v, --verbose', 'log more, and show where errors come from')
  .exitOverride()
  .configureOutput({
    // As JSON a wrong call is reported below, like every error.
    writeErr: (text) => {
      if (asJson) complaint += text;
      else process.stderr.write(text);
    },
  })
  .showHelpAfterError('(see --help)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused by a safety check, 4 needs a person.

Example:
  $ argus status
  $ argus failover --dry-run`,
  );

let exitCode = 0;
const cli = commandLine(program, (code) => {
  exitCode = code;
});
configurationCommands(cli);
mirrorCommands(cli);
checkpointCommands(cli);
standingCommands(cli);
runbookCommands(cli);
roleCommands(cli);
failbackCommands(cli);
dnsCommands(cli);
alertCommands(cli);
automaticCommands(cli);

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
