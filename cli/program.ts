import { Command } from 'commander';
import { commandLine } from './command-line.ts';
import { alertCommands } from './families/alerts.ts';
import { automaticCommands } from './families/automatic.ts';
import { checkpointCommands } from './families/checkpoints.ts';
import { configurationCommands } from './families/configuration.ts';
import { dnsCommands } from './families/dns.ts';
import { drillCommands } from './families/drill.ts';
import { failbackCommands } from './families/failback.ts';
import { mirrorCommands } from './families/mirror.ts';
import { reportCommands } from './families/report.ts';
import { roleCommands } from './families/role.ts';
import { runbookCommands } from './families/runbooks.ts';
import { setUpCommands } from './families/set-up.ts';
import { standingCommands } from './families/standing.ts';
import { argusVersion } from './version.ts';

/** Every command of the command line; `onExit` gets a command's exit code when it has ended. `settle` comes before they are added, since they inherit from the program. */
export function argusProgram(
  onExit: (exitCode: number) => void = () => undefined,
  settle: (program: Command) => Command = (program) => program,
): Command {
  const program = settle(new Command('argus'))
    .description(
      'Disaster recovery for Kafka and Flink: one consistent recovery point, a fenced failover, a measured RTO and RPO.',
    )
    .version(argusVersion)
    .option('-c, --config <file>', 'the configuration (default: $ARGUS_CONFIG, else ./argus.yaml)')
    .option('--json', 'print results as JSON on stdout, errors as JSON on stderr')
    .option('-v, --verbose', 'log more, and show where errors come from')
    .option('--plain', 'lines instead of a live view at a terminal')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused by a safety check, 4 needs a person.

Example:
  $ argus status
  $ argus failover --dry-run`,
    );
  const cli = commandLine(program, onExit);
  setUpCommands(cli);
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
  drillCommands(cli);
  reportCommands(cli);
  return program;
}
