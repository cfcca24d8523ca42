#!/usr/bin/env node
// The argus command. Only commander is loaded here; every command brings the rest itself.
import { Command, CommanderError, Option } from 'commander';
import type { CommandContext } from './context.ts';
import { count, instant, offset, partitionOffset } from './option-values.ts';
import { asksForJson, usageError } from './usage-error.ts';

interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What a command's module gives: its exit code. */
type Run<O> = (context: CommandContext, options: O) => Promise<number>;

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

/** Adds a command whose module is loaded when it runs. */
function command<O extends object>(
  parent: Command,
  usage: string,
  description: string,
  example: string,
  load: () => Promise<{ run: Run<O> }>,
  build: (command: Command) => Command = (c) => c,
  argument?: (value: string) => object,
): void {
  const made = build(parent.command(usage).description(description)).addHelpText('after', `\nExample:\n${example}`);
  made.action(async (...args: unknown[]) => {
    const given = args.at(-1) as Command;
    const first = argument ? argument(args[0] as string) : {};
    const { openContext } = await import('./open-context.ts');
    const [{ run }, context] = [await load(), await openContext(program.opts<GlobalOptions>())];
    exitCode = await run(context, { ...(given.opts() as O), ...first });
  });
}

/** A name that only groups commands. */
const group = (name: string, description: string, example: string): Command =>
  program.command(name).description(description).addHelpText('after', `\nExample:\n  $ ${example}`);

const config = group('config', 'The configuration', 'argus config check --live');
command(
  config,
  'check',
  'Validate the configuration; with --live also look at every region',
  '  $ argus config check --config argus.yaml\n  $ argus config check --live',
  () => import('./commands/config-check.ts'),
  (c) => c.option('--live', 'also try every broker, bucket, Flink, the DNS token and the resolvers; changes nothing'),
);

const mirror = group('mirror', 'Topics, mirrored offset for offset', 'argus mirror check');
command(
  mirror,
  'run',
  'Mirror in the foreground until Ctrl-C (the daemon does this as well)',
  '  $ argus mirror run\n  $ argus mirror run --share',
  () => import('./commands/mirror-run.ts'),
  (c) => c.option('--share', 'be one of several processes that share the partitions'),
);
command(
  mirror,
  'status',
  'Lag per topic, and what would be lost now',
  '  $ argus mirror status\n  $ argus mirror status --json',
  () => import('./commands/mirror-status.ts'),
);
command(
  mirror,
  'check',
  'What the mirror would do with each topic, and why; changes nothing. Exit code 3 when one is refused',
  '  $ argus mirror check\n  $ argus mirror check --json',
  () => import('./commands/mirror-check.ts'),
);
command(
  mirror,
  'verify',
  'Compare both sides: the same records at the same offsets. Exit code 1 when they differ; the first difference is named',
  '  $ argus mirror verify\n  $ argus mirror verify --topic events --partition 0 --from 1000 --to 2000\n  $ argus mirror verify --sample 50 --json',
  () => import('./commands/mirror-verify.ts'),
  (c) =>
    c
      .option('--topic <name>', 'this topic only')
      .addOption(new Option('--partition <n>', 'this partition only').argParser(count))
      .addOption(new Option('--from <offset>', 'from this offset on').argParser(offset))
      .addOption(new Option('--to <offset>', 'up to this offset, exclusive').argParser(offset))
      .addOption(new Option('--sample <n>', 'only n ranges of 1,000 offsets, at random').argParser(count)),
);
command(
  mirror,
  'pause',
  'Mirror no more for now: a topic, or all. Kept in the state, followed by whoever mirrors within seconds',
  '  $ argus mirror pause --topic events\n  $ argus mirror pause',
  () => import('./commands/mirror-pause.ts'),
  (c) => c.option('--topic <name>', 'this topic only'),
);
command(
  mirror,
  'resume',
  'Take a pause back: of a topic, or every pause',
  '  $ argus mirror resume --topic events\n  $ argus mirror resume',
  () => import('./commands/mirror-resume.ts'),
  (c) => c.option('--topic <name>', 'this topic only'),
);
command(
  mirror,
  'throttle',
  'How fast the primary is read: shows it, or changes it within seconds, of a topic or of all. Kept in the state',
  '  $ argus mirror throttle --bytes-per-second 50MB\n  $ argus mirror throttle --topic events --bytes-per-second 5MB\n  $ argus mirror throttle --off',
  () => import('./commands/mirror-throttle.ts'),
  (c) =>
    c
      .addOption(
        new Option('--bytes-per-second <n>', 'read no faster: 500KB, 50MB, 64MiB').conflicts(['off', 'asConfigured']),
      )
      .addOption(new Option('--off', 'as fast as it goes, whatever the configuration says').conflicts('asConfigured'))
      .option('--as-configured', 'what the configuration says counts again')
      .option('--topic <name>', 'this topic only'),
);
command(
  mirror,
  'promote',
  "Make the standby's Kafka the primary's, for who runs the rest by hand: stop the mirror, end open transactions, print the offsets",
  '  $ argus mirror promote --list\n  $ argus mirror promote\n  $ argus mirror promote --yes --commit 4711 --commit 4712 --json',
  () => import('./commands/mirror-promote.ts'),
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
command(
  mirror,
  'render',
  'Print the connectors that MirrorMaker 2 needs (mirror.engine: mirrormaker2), without secrets; changes nothing',
  '  $ argus mirror render\n  $ argus mirror render --dedicated',
  () => import('./commands/mirror-render.ts'),
  (c) => c.option('--dedicated', "print the properties of MirrorMaker's dedicated mode instead"),
);
command(
  mirror,
  'deploy',
  'Give Kafka Connect the connectors of MirrorMaker 2, and wait until they are seen running',
  '  $ argus mirror deploy',
  () => import('./commands/mirror-deploy.ts'),
);
command(
  mirror,
  'offsets',
  "An offset of the primary as one of MirrorMaker's copy: exact, or refused (exit code 3)",
  '  $ argus mirror offsets --topic events --partition 0 --offset 1000',
  () => import('./commands/mirror-offsets.ts'),
  (c) =>
    c
      .requiredOption('--topic <name>', 'the topic, by its name on the primary')
      .addOption(new Option('--partition <n>', 'its partition').argParser(count).makeOptionMandatory())
      .addOption(
        new Option('--offset <n>', 'the next record to read on the primary').argParser(offset).makeOptionMandatory(),
      ),
);
command(
  mirror,
  'reseed <topic>',
  'Delete a topic on the standby and make it anew, so that the mirror begins it again. Refused (3) while a mirror runs',
  '  $ argus mirror reseed events\n  $ argus mirror reseed events --yes --accept-loss 120',
  () => import('./commands/mirror-reseed.ts'),
  (c) =>
    c
      .option('--yes', "don't ask")
      .addOption(
        new Option('--accept-loss <n>', 'lose up to n records that only the standby has, for good').argParser(offset),
      ),
  (topic) => ({ topic }),
);

const checkpoints = group('checkpoints', "Flink's checkpoints, replicated and relocated", 'argus checkpoints list');
command(
  checkpoints,
  'run',
  'Replicate in the foreground until Ctrl-C (the daemon does this as well). With --once exit code 3 when a checkpoint is refused',
  '  $ argus checkpoints run\n  $ argus checkpoints sync --once --job counts',
  () => import('./commands/checkpoints-run.ts'),
  (c) =>
    c
      .alias('sync')
      .option('--once', 'end when the newest checkpoint of each job is on the replica')
      .option('--job <name>', 'this job only'),
);
command(
  checkpoints,
  'list',
  'Complete checkpoints on the replica, newest first, and what is wrong with others; with --source those of the primary',
  '  $ argus checkpoints list\n  $ argus checkpoints list --source --job counts',
  () => import('./commands/checkpoints-list.ts'),
  (c) =>
    c
      .option('--job <name>', 'this job only; with --source also by a Flink job id')
      .option('--source', 'what the primary has, savepoints too, and whether the replica has it'),
);
command(
  checkpoints,
  'check',
  'Whether the checkpoints of each job could be restored on the standby, how, and what to change. Exit code 3 when one is refused',
  '  $ argus checkpoints check\n  $ argus checkpoints check --job counts --json',
  () => import('./commands/checkpoints-check.ts'),
  (c) => c.option('--job <name>', 'this job only'),
);
command(
  checkpoints,
  'verify',
  'Read every byte of the replica and compare it with the manifests. Exit code 1 when one differs; the first difference is named',
  '  $ argus checkpoints verify\n  $ argus checkpoints verify --job counts --checkpoint 42 --json',
  () => import('./commands/checkpoints-verify.ts'),
  (c) =>
    c
      .option('--job <name>', 'this job only')
      .addOption(new Option('--checkpoint <id>', 'the checkpoints of this number only').argParser(count)),
);
command(
  checkpoints,
  'translate',
  'With mirror.engine: mirrormaker2: write a checkpoint with the offsets and topics of the standby, beside the replicated one. Exit code 3 when that can’t be told exactly',
  '  $ argus checkpoints translate --job counts\n  $ argus checkpoints translate --dry-run --json',
  () => import('./commands/checkpoints-translate.ts'),
  (c) =>
    c
      .option('--job <name>', 'this job only')
      .addOption(new Option('--checkpoint <id>', 'the checkpoint of this number only').argParser(count))
      .option('--dry-run', 'show what would be written; changes nothing'),
);
command(
  checkpoints,
  'show <id>',
  'What a checkpoint holds: operators, state, files, source offsets, sink transactions. From the replica, or by its URI',
  '  $ argus checkpoints show 42 --job counts\n  $ argus checkpoints show 42 --source\n  $ argus checkpoints show s3://bucket/savepoints/savepoint-1a2b3c-0123456789ab',
  () => import('./commands/checkpoints-show.ts'),
  (c) =>
    c
      .option('--job <name>', 'of this job: its name, or a Flink job id')
      .option('--source', 'look in the bucket of the primary'),
  (which) => ({ which }),
);
command(
  checkpoints,
  'relocate <id>',
  'Write a relocated checkpoint that you restore by hand: to a prefix of the standby’s bucket, or a folder. Never over anything',
  '  $ argus checkpoints relocate 42 --job counts --to s3://replica/relocated/try --copy\n  $ argus checkpoints relocate s3://bucket/savepoints/savepoint-1a2b3c-0123456789ab --to ./restore --copy --drop-transactions',
  () => import('./commands/checkpoints-relocate.ts'),
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
command(
  checkpoints,
  'prune',
  'Delete from the replica what retention no longer keeps, after showing it. Refused (3) while anybody replicates',
  '  $ argus checkpoints prune --dry-run\n  $ argus checkpoints prune --job counts --yes --json',
  () => import('./commands/checkpoints-prune.ts'),
  (c) =>
    c
      .option('--job <name>', 'this job only')
      .option('--dry-run', 'show what would go; changes nothing')
      .option('--yes', "don't ask"),
);

command(
  program,
  'daemon',
  'Mirror, replicate checkpoints, watch the primary; serves /metrics and /healthz',
  '  $ argus daemon --config /etc/argus/argus.yaml',
  () => import('./commands/daemon.ts'),
);
command(
  program,
  'status',
  'Every component of each region, lag, recovery point, what would be lost now. Exit code 1 when the primary is not healthy',
  '  $ argus status\n  $ argus status --json',
  () => import('./commands/status.ts'),
);
command(
  program,
  'recovery-points',
  'What a failover would restore each job from now, and why not from a newer checkpoint. Exit code 1 when a job has none',
  '  $ argus recovery-points\n  $ argus recovery-points --job counts --explain',
  () => import('./commands/recovery-points.ts'),
  (c) =>
    c
      .option('--job <name>', 'this job only')
      .option('--explain', 'all reasons, offsets against the standby’s logs, files and transactions'),
);
command(
  group('standby', 'What a failover would need of the standby', 'argus standby check'),
  'check',
  'What a failover would need of the standby’s Flink: manifests, rights, images, quotas, room, secrets; changes nothing. Exit code 3 when it would be refused',
  '  $ argus standby check\n  $ argus standby check --job counts --json',
  () => import('./commands/standby-check.ts'),
  (c) => c.option('--job <name>', 'this job only'),
);
command(
  program,
  'failover',
  'Promote the standby: fence, freeze, restore, flip names, verify, report',
  '  $ argus failover --dry-run\n  $ argus failover\n  $ argus failover --yes --accept-unfenced --outage-at 2026-11-21T03:00:00Z',
  () => import('./commands/failover.ts'),
  (c) =>
    c
      .option('--dry-run', 'print the plan and what blocks it; changes nothing')
      .option('--yes', "don't ask")
      .option('--accept-unfenced', "go on although the primary can't be proven stopped; recorded in the run")
      .option('--accept-output-gap', "take a checkpoint whose sinks' output the standby lacks; recorded in the run")
      .addOption(
        new Option('--outage-at <instant>', 'when the outage began (ISO 8601), for the RTO').argParser(instant),
      ),
);

const runs = group('runs', 'What runbooks did, from the journal', 'argus runs list');
command(runs, 'list', 'All runs, newest first', '  $ argus runs list', () => import('./commands/runs-list.ts'));
command(
  runs,
  'show <id>',
  'One run: its steps, its report',
  '  $ argus runs show 20261121T103000Z-failover-1a2b\n  $ argus runs show 20261121T103000Z-failover-1a2b --recount',
  () => import('./commands/runs-show.ts'),
  (c) => c.option('--recount', 'count in the old primary’s log what the standby never got'),
  (id) => ({ id }),
);

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
    const { verbose = false } = program.opts<GlobalOptions>();
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
