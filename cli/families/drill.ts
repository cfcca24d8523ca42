import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';

/** Drills: that what Argus promises works, tried without touching production. */
export function drillCommands(cli: CommandLine): void {
  const drill = cli.group('drill', 'Try the recovery without touching production', 'argus drill run');
  cli.command(
    drill,
    'run',
    'Start the real jobs from the real replica in a bubble of their own, compare what they write, measure, clean up',
    '  $ argus drill run\n  $ argus drill run --job metrics --yes --json\n  $ argus drill run --plan-only',
    () => audited('drill run', import('../commands/drill-run.ts')),
    (c) =>
      c
        .option('--job <name...>', 'only these jobs')
        .option('--plan-only', 'every check and the plan; nothing is started')
        .option('--switchover', 'a real switchover to the standby, and back')
        .option('--fault <name>', 'break something on purpose, see what Argus makes of it, heal it')
        .option('--yes', "don't ask")
        .option('--reason <text>', 'why, for the journal; asked for at a terminal'),
  );
  cli.command(
    drill,
    'faults',
    'What can be broken on purpose, what has to come of it, and what is broken still. Exit code 1 while something is',
    '  $ argus drill faults\n  $ argus drill faults --json',
    () => import('../commands/drill-faults.ts'),
  );
  cli.command(
    drill,
    'clean',
    'Remove what drills left that ended without cleaning up; 4 when something can not be removed',
    '  $ argus drill clean --dry-run\n  $ argus drill clean',
    () => audited('drill clean', import('../commands/drill-clean.ts')),
    (c) => c.option('--dry-run', 'only list what there is'),
  );
}
