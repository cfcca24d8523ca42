import { Option } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { span } from '../option-values.ts';

/** Whether a region may run: for people, and for whatever starts its ingress and jobs. */
export function roleCommands(cli: CommandLine): void {
  const role = cli.group('role', 'Whether a region may run as primary', 'argus role show');
  cli.command(
    role,
    'show',
    'The roles in force, and for each region whether its ingress and jobs may start. Reads the state alone',
    '  $ argus role show\n  $ argus role show --json',
    () => import('../commands/role-show.ts'),
  );
  cli.command(
    role,
    'await',
    'Wait until a region may run as primary: before its ingress and jobs start, as an init container. Never says yes while the state can’t be read',
    '  $ argus role await --region mumbai && exec ingest\n  $ argus role await --region mumbai --once\n  $ argus --json role await --region mumbai > /argus-role/role.json',
    () => import('../commands/role-await.ts'),
    (c) =>
      c
        .requiredOption('--region <name>', 'the region that asks')
        .addOption(
          new Option('--timeout <time>', 'give up (3) after 30s, 5m; 0: never').argParser(span).default(0, '0'),
        )
        .addOption(new Option('--once', 'look once; exit code 3 with the reason when it may not').conflicts('timeout')),
  );
}
