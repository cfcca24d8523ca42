import { Option } from 'commander';
import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';
import { count, offset } from '../option-values.ts';

/** `argus mirror …`. */
export function mirrorCommands(cli: CommandLine): void {
  const mirror = cli.group('mirror', 'Topics, mirrored offset for offset', 'argus mirror check');
  cli.command(
    mirror,
    'run',
    'Mirror in the foreground until Ctrl-C (the daemon does this as well)',
    '  $ argus mirror run\n  $ argus mirror run --share',
    () => import('../commands/mirror-run.ts'),
    (c) => c.option('--share', 'be one of several processes that share the partitions'),
  );
  cli.command(
    mirror,
    'status',
    'Lag per topic, and what would be lost now',
    '  $ argus mirror status\n  $ argus mirror status --json',
    () => import('../commands/mirror-status.ts'),
  );
  cli.command(
    mirror,
    'check',
    'What the mirror would do with each topic, and why; changes nothing. Exit code 3 when one is refused',
    '  $ argus mirror check\n  $ argus mirror check --json',
    () => import('../commands/mirror-check.ts'),
  );
  cli.command(
    mirror,
    'verify',
    'Compare both sides: the same records at the same offsets. Exit code 1 when they differ; the first difference is named',
    '  $ argus mirror verify\n  $ argus mirror verify --topic events --partition 0 --from 1000 --to 2000\n  $ argus mirror verify --sample 50 --json',
    () => import('../commands/mirror-verify.ts'),
    (c) =>
      c
        .option('--topic <name>', 'this topic only')
        .addOption(new Option('--partition <n>', 'this partition only').argParser(count))
        .addOption(new Option('--from <offset>', 'from this offset on').argParser(offset))
        .addOption(new Option('--to <offset>', 'up to this offset, exclusive').argParser(offset))
        .addOption(new Option('--sample <n>', 'only n ranges of 1,000 offsets, at random').argParser(count)),
  );
  cli.command(
    mirror,
    'pause',
    'Mirror no more for now: a topic, or all. Kept in the state, followed by whoever mirrors within seconds',
    '  $ argus mirror pause --topic events\n  $ argus mirror pause',
    () => import('../commands/mirror-pause.ts'),
    (c) => c.option('--topic <name>', 'this topic only'),
  );
  cli.command(
    mirror,
    'resume',
    'Take a pause back: of a topic, or every pause',
    '  $ argus mirror resume --topic events\n  $ argus mirror resume',
    () => import('../commands/mirror-resume.ts'),
    (c) => c.option('--topic <name>', 'this topic only'),
  );
  cli.command(
    mirror,
    'throttle',
    'How fast the primary is read: shows it, or changes it within seconds, of a topic or of all. Kept in the state',
    '  $ argus mirror throttle --bytes-per-second 50MB\n  $ argus mirror throttle --topic events --bytes-per-second 5MB\n  $ argus mirror throttle --off',
    () => import('../commands/mirror-throttle.ts'),
    (c) =>
      c
        .addOption(
          new Option('--bytes-per-second <n>', 'read no faster: 500KB, 50MB, 64MiB').conflicts(['off', 'asConfigured']),
        )
        .addOption(new Option('--off', 'as fast as it goes, whatever the configuration says').conflicts('asConfigured'))
        .option('--as-configured', 'what the configuration says counts again')
        .option('--topic <name>', 'this topic only'),
  );
  cli.command(
    mirror,
    'promote',
    "Make the standby's Kafka the primary's, for who runs the rest by hand: stop the mirror, end open transactions, print the offsets",
    '  $ argus mirror promote --list\n  $ argus mirror promote\n  $ argus mirror promote --yes --commit 4711 --commit 4712 --json',
    () => audited('mirror promote', import('../commands/mirror-promote.ts')),
    (c) =>
      c
        .option('--list', 'list the open transactions and what would become of them; changes nothing')
        .addOption(
          new Option(
            '--commit <id>',
            "commit what this producer of the primary has open, or this id of the mirror's; repeatable",
          ).argParser((id: string, before: readonly string[] | undefined) => [...(before ?? []), id]),
        )
        .option('--abort-open', 'abort all others that are open (so it is without this option, too)')
        .option('--yes', "don't ask"),
  );
  cli.command(
    mirror,
    'render',
    'Print the connectors that MirrorMaker 2 needs (mirror.engine: mirrormaker2), without secrets; changes nothing',
    '  $ argus mirror render\n  $ argus mirror render --dedicated',
    () => import('../commands/mirror-render.ts'),
    (c) => c.option('--dedicated', "print the properties of MirrorMaker's dedicated mode instead"),
  );
  cli.command(
    mirror,
    'deploy',
    'Give Kafka Connect the connectors of MirrorMaker 2, and wait until they are seen running',
    '  $ argus mirror deploy',
    () => import('../commands/mirror-deploy.ts'),
  );
  cli.command(
    mirror,
    'offsets',
    "An offset of the primary as one of MirrorMaker's copy: exact, or refused (exit code 3)",
    '  $ argus mirror offsets --topic events --partition 0 --offset 1000',
    () => import('../commands/mirror-offsets.ts'),
    (c) =>
      c
        .requiredOption('--topic <name>', 'the topic, by its name on the primary')
        .addOption(new Option('--partition <n>', 'its partition').argParser(count).makeOptionMandatory())
        .addOption(
          new Option('--offset <n>', 'the next record to read on the primary').argParser(offset).makeOptionMandatory(),
        ),
  );
  cli.command(
    mirror,
    'reseed <topic>',
    'Delete a topic on the standby and make it anew, so that the mirror begins it again. Refused (3) while a mirror runs',
    '  $ argus mirror reseed events\n  $ argus mirror reseed events --yes --accept-loss 120',
    () => audited('mirror reseed', import('../commands/mirror-reseed.ts')),
    (c) =>
      c
        .option('--yes', "don't ask")
        .addOption(
          new Option('--accept-loss <n>', 'lose up to n records that only the standby has, for good').argParser(offset),
        ),
    (topic) => ({ topic }),
  );
}
