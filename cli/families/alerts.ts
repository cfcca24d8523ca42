import { Option } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { span } from '../option-values.ts';

/** `argus alerts …` and `argus notify …`. */
export function alertCommands(cli: CommandLine): void {
  cli.command(
    cli.group('alerts', 'Rules for Prometheus', 'argus alerts render --out argus-rules.yaml'),
    'render',
    'Write the alert rules as a file of Prometheus; needs no configuration',
    '  $ argus alerts render --out /etc/prometheus/argus-rules.yaml\n  $ argus alerts render --for-at-most 5s',
    () => import('../commands/alerts-render.ts'),
    (c) =>
      c
        .option('--out <file>', 'write to this file instead of stdout')
        .option('--job <name>', 'the label job under which Prometheus scrapes the daemons', 'argus')
        .addOption(
          new Option('--for-at-most <time>', 'let no rule wait for longer than this, for a try').argParser(span),
        ),
  );
  cli.command(
    cli.group('notify', 'Who is told what happens', 'argus notify test'),
    'test',
    'Tell every channel that this is a test, and that it is over. Exit code 1 when one does not take it',
    '  $ argus notify test\n  $ argus notify test --channel oncall',
    () => import('../commands/notify-test.ts'),
    (c) => c.option('--channel <name>', 'this channel only'),
  );
}
