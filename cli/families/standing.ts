import { Option } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { count, span } from '../option-values.ts';

/** The daemon, the status, and what a failover would find. */
export function standingCommands(cli: CommandLine): void {
  cli.command(
    cli.program,
    'daemon',
    'Mirror, replicate checkpoints, watch the primary; serves /metrics and /healthz',
    '  $ argus daemon --config /etc/argus/argus.yaml',
    async () => {
      const { keepHeapSmall } = await import('../../daemon/life/small-heap.ts');
      keepHeapSmall();
      return import('../commands/daemon.ts');
    },
  );
  cli.command(
    cli.program,
    'guard',
    'In a region: shut its Kafka when a failover claims it, or when neither state nor witness is heard; see guard in argus.yaml',
    '  $ argus guard --region mumbai',
    () => import('../commands/guard.ts'),
    (c) => c.requiredOption('--region <name>', 'the region that it stands in'),
  );
  cli.command(
    cli.program,
    'observe',
    'As one of automatic.observers: look at both regions each second and keep what is seen in the state; writes nothing but its canaries',
    '  $ argus observe --name outside',
    () => import('../commands/observe.ts'),
    (c) => c.requiredOption('--name <observer>', 'which of automatic.observers it is'),
  );
  cli.command(
    cli.program,
    'readiness',
    "What a failover begun now would come to, by the daemon's newest word. Exit code 1 when it would be refused, or nobody knows",
    '  $ argus readiness\n  $ argus readiness --history --days 7',
    () => import('../commands/readiness.ts'),
    (c) =>
      c
        .option('--history', 'also when that changed')
        .option('--days <n>', 'how far back, up to 90 (default: 1)', count),
  );
  cli.command(
    cli.program,
    'observers',
    'Who watches, when each was heard last, and what it saw. Exit code 1 while one of them is silent',
    '  $ argus observers\n  $ argus observers --json',
    () => import('../commands/observers.ts'),
  );
  cli.command(
    cli.program,
    'probe',
    'One look at everything that an observer looks at, now. Exit code 1 when anything is not ok',
    '  $ argus probe\n  $ argus probe --region mumbai --json',
    () => import('../commands/probe.ts'),
    (c) => c.option('--region <name>', 'this region only'),
  );
  cli.command(
    cli.program,
    'status',
    'Every component of each region, lag, recovery point, what would be lost now. Exit code 1 when the primary is not healthy',
    '  $ argus status\n  $ argus status --json',
    () => import('../commands/status.ts'),
  );
  cli.command(
    cli.program,
    'watch',
    'How things stand, looked at again and again; or how far a run is, also one that somebody else carries out. q leaves',
    '  $ argus watch\n  $ argus watch --run\n  $ argus watch --run 20261121T103000Z-failover-1a2b --plain',
    () => import('../commands/watch.ts'),
    (c) =>
      c
        .option('--run [id]', 'follow this run until it ends; without an id the one at work, else the newest')
        .addOption(new Option('--every <time>', 'between two looks (default: 2s)').argParser(span)),
  );
  cli.command(
    cli.program,
    'recovery-points',
    'What a failover would restore each job from now, and why not from a newer checkpoint. Exit code 1 when a job has none',
    '  $ argus recovery-points\n  $ argus recovery-points --job counts --explain',
    () => import('../commands/recovery-points.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only')
        .option('--explain', 'all reasons, offsets against the standby’s logs, files and transactions'),
  );
  cli.command(
    cli.group('standby', 'What a failover would need of the standby', 'argus standby check'),
    'check',
    'What a failover would need of the standby’s Flink: manifests, rights, images, quotas, room, secrets; changes nothing. Exit code 3 when it would be refused',
    '  $ argus standby check\n  $ argus standby check --job counts --json\n  $ argus standby check --probe-pod',
    () => import('../commands/standby-check.ts'),
    (c) =>
      c
        .option('--job <name>', 'this job only')
        .option('--probe-pod', 'also run a short-lived pod that tries bucket and Kafka, and delete it'),
  );
}
