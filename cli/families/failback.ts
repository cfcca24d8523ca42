import { Option } from 'commander';
import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';
import { count } from '../option-values.ts';
import { planOptions } from './plan-options.ts';

/** The way back after a failover, and what it keeps. */
export function failbackCommands(cli: CommandLine): void {
  cli.command(
    cli.program,
    'failback',
    'When the old primary is back: keep what only it has, begin anew what diverged there, mirror back to it, wait until it follows, and with --switch move back',
    '  $ argus failback --dry-run\n  $ argus failback --switch\n  $ argus failback --plan-out plan.json; argus failback --plan plan.json\n  $ argus failback --yes --to files --reason "mumbai is back"',
    () => audited('failback', import('../commands/failback.ts')),
    (c) =>
      planOptions(c, ['planOut', 'to', 'acceptUnfenced'])
        .option('--yes', "don't ask")
        .addOption(
          new Option('--to <where>', 'where orphans are kept: topics argus.orphans.<topic>, or files in the bucket')
            .choices(['topic', 'files'])
            .default('topic'),
        )
        .option('--accept-unfenced', "go on although the old primary's jobs can't be seen stopped; recorded in the run")
        .option('--reason <text>', 'why, for the journal; asked for at a terminal')
        .option('--no-wait', "don't wait until the old primary follows")
        .option(
          '--switch',
          'once it follows, go on with a switchover to it: planned, agreed to and refused like any other',
        )
        .option('--producers-stopped', 'with --switch: as of `argus switchover`'),
  );

  const orphans = cli.group(
    'orphans',
    'Records that only an old primary had, kept by a failback',
    'argus orphans list',
  );
  const promotion = () =>
    new Option('--promotion <epoch>', 'of the promotion with this roles epoch; the newest when absent').argParser(
      count,
    );
  cli.command(
    orphans,
    'list',
    'What failbacks have kept, newest first',
    '  $ argus orphans list\n  $ argus orphans list --json',
    () => import('../commands/orphans-list.ts'),
  );
  cli.command(
    orphans,
    'export',
    'Kept records as JSON lines, to stdout or a new file',
    '  $ argus orphans export --topic events --to orphans.jsonl\n  $ argus orphans export --promotion 2',
    () => import('../commands/orphans-export.ts'),
    (c) =>
      c
        .option('--topic <name>', 'this topic only')
        .addOption(promotion())
        .option('--to <file>', 'a file that does not exist yet'),
  );
  cli.command(
    orphans,
    'replay',
    'Write the orphans of a topic into the live one, each once; not those of transactions that nobody committed',
    '  $ argus orphans replay --topic events\n  $ argus orphans replay --topic events --promotion 2 --yes',
    () => audited('orphans replay', import('../commands/orphans-replay.ts')),
    (c) => c.requiredOption('--topic <name>', 'the topic').addOption(promotion()).option('--yes', "don't ask"),
  );
}
