import type { CommandLine } from '../command-line.ts';

/** `argus config …`. */
export function configurationCommands(cli: CommandLine): void {
  const config = cli.group('config', 'The configuration', 'argus config check --live');
  cli.command(
    config,
    'check',
    'Validate the configuration; with --live also look at every region',
    '  $ argus config check --config argus.yaml\n  $ argus config check --live',
    () => import('../commands/config-check.ts'),
    (c) => c.option('--live', 'also try every broker, bucket, Flink, the DNS token and the resolvers; changes nothing'),
  );
}
