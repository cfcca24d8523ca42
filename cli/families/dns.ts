import { audited } from '../audited.ts';
import type { CommandLine } from '../command-line.ts';

/** `argus dns …`. */
export function dnsCommands(cli: CommandLine): void {
  const dns = cli.group('dns', 'The names that follow the primary', 'argus dns check');
  cli.command(
    dns,
    'check',
    'Whether the names would follow a failover and what that costs: TTLs, token, records, load balancers, resolvers. Exit code 3 when it would be refused',
    '  $ argus dns check\n  $ argus dns check --try-edit --json',
    () => import('../commands/dns-check.ts'),
    (c) => c.option('--try-edit', 'also write to each record what it holds already, to see that it may be changed'),
  );
  cli.command(
    dns,
    'show',
    "What the provider, the resolvers and the zone's own servers say of each name",
    '  $ argus dns show\n  $ argus dns show --json',
    () => import('../commands/dns-show.ts'),
  );
  cli.command(
    dns,
    'rollback <run>',
    'Put back what a run changed at the DNS provider, as it was before. Refused (3) where somebody changed it since',
    '  $ argus dns rollback 20261121T103000Z-failover-1a2b --dry-run\n  $ argus dns rollback 20261121T103000Z-failover-1a2b',
    () => audited('dns rollback', import('../commands/dns-rollback.ts')),
    (c) =>
      c
        .option('--dry-run', 'show what would be put back; changes nothing')
        .option('--against-roles', 'also when the names then lead to a region that is not the primary')
        .option('--reason <text>', 'why, for the journal; asked for at a terminal')
        .option('--yes', "don't ask"),
    (run) => ({ run }),
  );
}
