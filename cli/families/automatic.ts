import type { CommandLine } from '../command-line.ts';
import { count } from '../option-values.ts';

/** `argus automatic …`. */
export function automaticCommands(cli: CommandLine): void {
  const automatic = cli.group('automatic', 'Verdicts, and what may be done without a person', 'argus automatic status');
  cli.command(
    automatic,
    'status',
    'Every verdict with its evidence, what automatic mode would do and why not, and what was decided before. Exit code 1 while no daemon tells',
    '  $ argus automatic status\n  $ argus automatic status --json',
    () => import('../commands/automatic-status.ts'),
    (c) => c.option('--decisions <n>', 'how many of the decisions before are shown (default: 10)', count),
  );
  cli.command(
    automatic,
    'ack',
    'Let automatic mode act again, though a run or a change of roles is less than automatic.antiFlap ago',
    '  $ argus automatic ack --reason "the old primary is repaired"',
    () => import('../commands/automatic-ack.ts'),
    (c) => c.option('--reason <text>', 'why; kept in the state'),
  );
}
