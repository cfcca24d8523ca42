import { Option } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { count, partitionOffset } from '../option-values.ts';

/** `argus checkpoints …`. */
export function checkpointCommands(cli: CommandLine): void {
  const checkpoints = cli.group(
    'checkpoints',
    "Flink's checkpoints, replicated and relocated",
    'argus checkpoints list',
  );
  cli.command(
    checkpoints,
    'run',
    'Replicate in the foreground until Ctrl-C (the daemon does this as well). With --once exit code 3 when a checkpoint is refused',
    '  $ argus checkpoints run\n  $ argus checkpoints sync --once --job counts',
    () => import('../commands/checkpoints-run.ts'),
    (c) =>
      c
        .alias('sync')
        .option('--once', 'end when the newest checkpoint of each job is on the replica')
        .option('--job <name>', 'this job only'),
  );
  cli.command(
    checkpoints,
    'list',
    'Complete checkpoints on the replica, newest first, and what is wrong with others; with --source those of the primary',
    '  $ argus checkpoints list\n  $ argus checkpoints list --source --job counts',
    () => import('../commands/checkpoints-list.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only; with --source also by a Flink job id')
        .option('--source', 'what the primary has, savepoints too, and whether the replica has it'),
  );
  cli.command(
    checkpoints,
    'check',
    'Whether the checkpoints of each job could be restored on the standby, how, and what to change. Exit code 3 when one is refused',
    '  $ argus checkpoints check\n  $ argus checkpoints check --job counts --json',
    () => import('../commands/checkpoints-check.ts'),
    (c) => c.option('--job <name>', 'this job only'),
  );
  cli.command(
    checkpoints,
    'verify',
    'Read every byte of the replica and compare it with the manifests. Exit code 1 when one differs; the first difference is named',
    '  $ argus checkpoints verify\n  $ argus checkpoints verify --job counts --checkpoint 42 --json',
    () => import('../commands/checkpoints-verify.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only')
        .addOption(new Option('--checkpoint <id>', 'the checkpoints of this number only').argParser(count)),
  );
  cli.command(
    checkpoints,
    'translate',
    'With mirror.engine: mirrormaker2: write a checkpoint with the offsets and topics of the standby, beside the replicated one. Exit code 3 when that can’t be told exactly',
    '  $ argus checkpoints translate --job counts\n  $ argus checkpoints translate --dry-run --json',
    () => import('../commands/checkpoints-translate.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only')
        .addOption(new Option('--checkpoint <id>', 'the checkpoint of this number only').argParser(count))
        .option('--dry-run', 'show what would be written; changes nothing'),
  );
  cli.command(
    checkpoints,
    'show <id>',
    'What a checkpoint holds: operators, state, files, source offsets, sink transactions. From the replica, or by its URI',
    '  $ argus checkpoints show 42 --job counts\n  $ argus checkpoints show 42 --source\n  $ argus checkpoints show s3://bucket/savepoints/savepoint-1a2b3c-0123456789ab',
    () => import('../commands/checkpoints-show.ts'),
    (c) =>
      c
        .option('--job <name>', 'of this job: its name, or a Flink job id')
        .option('--source', 'look in the bucket of the primary'),
    (which) => ({ which }),
  );
  cli.command(
    checkpoints,
    'relocate <id>',
    'Write a relocated checkpoint that you restore by hand: to a prefix of the standby’s bucket, or a folder. Never over anything',
    '  $ argus checkpoints relocate 42 --job counts --to s3://replica/relocated/try --copy\n  $ argus checkpoints relocate s3://bucket/savepoints/savepoint-1a2b3c-0123456789ab --to ./restore --copy --drop-transactions',
    () => import('../commands/checkpoints-relocate.ts'),
    (c) =>
      c
        .requiredOption('--to <target>', 'an s3:// prefix in the bucket of the standby, or a folder')
        .option('--job <name>', 'of this job: its name, or a Flink job id')
        .option('--source', 'take the checkpoint from the bucket of the primary')
        .option('--copy', 'copy its files, too; else they are needed where they lie')
        .option('--drop-transactions', 'leave out pending transactions of its sinks, for another Kafka')
        .addOption(
          new Option('--offset <topic-partition=offset>', 'go on reading there instead; repeatable').argParser(
            partitionOffset,
          ),
        )
        .option('--dry-run', 'show what would be written; changes nothing'),
    (which) => ({ which }),
  );
  cli.command(
    checkpoints,
    'prune',
    'Delete from the replica what retention no longer keeps, after showing it. Refused (3) while anybody replicates',
    '  $ argus checkpoints prune --dry-run\n  $ argus checkpoints prune --job counts --yes --json',
    () => import('../commands/checkpoints-prune.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only')
        .option('--dry-run', 'show what would go; changes nothing')
        .option('--yes', "don't ask"),
  );
}
