import { Option } from 'commander';
import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';
import { count, span } from '../option-values.ts';

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
        .addOption(
          new Option('--stay <time>', 'how long a switchover stays there (default: until it works)').argParser(span),
        )
        .option('--outside-window', 'a switchover also outside of the windows of its schedule')
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
    '  $ argus drill clean --dry-run\n  $ argus drill clean\n  $ argus drill clean --healed broker-down',
    () => audited('drill clean', import('../commands/drill-clean.ts')),
    (c) =>
      c
        .option('--dry-run', 'only list what there is')
        .option('--healed <fault...>', 'you healed it by hand: forget, on your word, that it is broken')
        .option('--yes', "don't ask, with --healed")
        .option('--reason <text>', 'why, for the journal, with --healed; asked for at a terminal'),
  );
  scheduleCommands(cli, drill);
}

/** What begins by itself, and what came of it. */
function scheduleCommands(cli: CommandLine, drill: ReturnType<CommandLine['group']>): void {
  cli.command(
    drill,
    'next',
    'The drill that begins next by the schedule, or that waits, and for what. Exit code 1 when none is scheduled',
    '  $ argus drill next\n  $ argus drill next --json',
    () => import('../commands/drill-next.ts'),
  );
  cli.command(
    drill,
    'schedule',
    'The coming drills, what waits and why, and what was left out lately',
    '  $ argus drill schedule\n  $ argus drill schedule --count 12 --json',
    () => import('../commands/drill-schedule.ts'),
    (c) => c.addOption(new Option('--count <n>', 'so many of each kind (default: 3)').argParser(count)),
  );
  cli.command(
    drill,
    'history',
    'The drills that were, and those that were due and did not take place; the newest first',
    '  $ argus drill history\n  $ argus drill history --limit 50 --json',
    () => import('../commands/drill-history.ts'),
    (c) => c.addOption(new Option('--limit <n>', 'so many at most (default: 20)').argParser(count)),
  );
  cli.command(
    drill,
    'approve <slot>',
    'Agree to a drill by switchover that was announced: it begins when it is due and all is calm. Refused (3) when it waits no more',
    '  $ argus drill approve switchover-20261201T100000Z\n  $ argus drill approve switchover-20261201T100000Z --reason "agreed in the weekly"',
    () => audited('drill approve', import('../commands/drill-approve.ts')),
    (c) => c.option('--reason <text>', 'why; kept with the approval'),
    (slot) => ({ slot }),
  );
}
