import { Option } from 'commander';
import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';
import { count, instant, lossBudget } from '../option-values.ts';
import { planOptions } from './plan-options.ts';

/** What changes roles, and the runs of it. */
export function runbookCommands(cli: CommandLine): void {
  cli.command(
    cli.program,
    'failover',
    'Promote the standby: fence, freeze, restore, flip names, verify, report',
    '  $ argus failover --dry-run\n  $ argus failover\n  $ argus failover --plan-out plan.json; argus failover --plan plan.json\n  $ argus failover --yes --accept-unfenced --outage-at 2026-11-21T03:00:00Z',
    () => audited('failover', import('../commands/failover.ts')),
    (c) =>
      planOptions(c, ['planOut', 'acceptUnfenced', 'acceptOutputGap', 'outageAt'])
        .option(
          '--resume',
          'only go on with a run that was cut off (found by itself anyway); refused when there is none',
        )
        .option('--yes', "don't ask")
        .option('--accept-unfenced', "go on although the primary can't be proven stopped; recorded in the run")
        .option('--accept-output-gap', "take a checkpoint whose sinks' output the standby lacks; recorded in the run")
        .addOption(
          new Option(
            '--accept-data-loss <time>',
            'take a loss above the RPO: up to 90s, 5m, or unknown when nobody can tell; recorded in the run',
          ).argParser(lossBudget),
        )
        .option('--reason <text>', 'why, for the journal; asked for at a terminal')
        .addOption(
          new Option('--outage-at <instant>', 'when the outage began (ISO 8601), for the RTO').argParser(instant),
        ),
  );

  cli.command(
    cli.program,
    'switchover',
    'Move to the standby as planned, with nothing lost: stop, prove, restore, flip names, mirror back',
    '  $ argus switchover --dry-run\n  $ argus switchover --reason "kernel upgrade"\n  $ argus switchover --yes --producers-stopped',
    () => audited('switchover', import('../commands/switchover.ts')),
    (c) =>
      planOptions(c, ['planOut', 'producersStopped'])
        .option('--yes', "don't ask")
        .option('--producers-stopped', 'where Argus has no means to deny the producers: you have stopped them')
        .option('--reason <text>', 'why, for the journal; asked for at a terminal'),
  );

  cli.command(
    cli.group(
      'runbook',
      'What is done in a failover, a switchover, a failback, for people',
      'argus runbook show failover',
    ),
    'show <runbook>',
    'The document of failover, switchover or failback with the values of now: whom to call, steps, decisions, refusals. Works while nothing answers',
    '  $ argus runbook show failover\n  $ argus runbook show switchover --markdown > switchover.md',
    () => import('../commands/runbook-show.ts'),
    (c) => c.option('--markdown', 'as Markdown'),
    (runbook) => ({ runbook }),
  );

  const runs = cli.group('runs', 'What runbooks did, from the journal', 'argus runs list');
  cli.command(
    runs,
    'list',
    'Runs and drills, newest first',
    '  $ argus runs list\n  $ argus runs list --limit 500 --json',
    () => import('../commands/runs-list.ts'),
    (c) => c.addOption(new Option('--limit <n>', 'so many at most (default: 100)').argParser(count)),
  );
  cli.command(
    runs,
    'show <id>',
    'One run: its steps, its report',
    '  $ argus runs show 20261121T103000Z-failover-1a2b\n  $ argus runs show 20261121T103000Z-failover-1a2b --recount',
    () => import('../commands/runs-show.ts'),
    (c) => c.option('--recount', 'count in the old primary’s log what the standby never got'),
    (id) => ({ id }),
  );
  cli.command(
    runs,
    'abort <id>',
    'Stop a run and take back what it did, up to its point of no return; a dead one is taken over first',
    '  $ argus runs abort 20261121T103000Z-failover-1a2b --reason "false alarm"',
    () => audited('runs abort', import('../commands/runs-abort.ts')),
    (c) =>
      c.option('--reason <text>', 'why, for the journal; asked for at a terminal').option('--yes', "don't ask why"),
    (id) => ({ id }),
  );
}
