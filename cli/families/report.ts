import type { Command } from 'commander';
import type { CommandLine } from '../command-line.ts';

const formats = (c: Command) =>
  c
    .option('--html', 'as one HTML file, for a browser and for paper')
    .option('--markdown', 'as Markdown (the default without --out)')
    .option('--out <file>', 'write it there; .html, .md or .json say which. With reports.key its signature beside it');

/** What runs and drills came to, to be handed on. */
export function reportCommands(cli: CommandLine): void {
  const report = cli.group('report', 'What runs and drills came to, to be handed on', 'argus report show latest');
  cli.command(
    report,
    'show [run]',
    'The report of a drill, failover, switchover or failback, from its journal; without a name of the newest',
    '  $ argus report show --out failover.html\n  $ argus report show 20261121T103000Z-failover-1a2b --markdown\n  $ argus --json report show latest',
    () => import('../commands/report-show.ts'),
    formats,
    (run?: string) => ({ run: run ?? 'latest' }),
  );
  cli.command(
    report,
    'verify <file>',
    'Whether a report is as it was made: every byte, its signature, and the journal inside it',
    '  $ argus report verify failover.html\n  $ argus report verify failover.json --public-key argus.pub',
    () => import('../commands/report-verify.ts'),
    (c) => c.option('--public-key <key>', 'who must have signed: a minisign public key, or the file of one or of PEM'),
    (file) => ({ file }),
  );
  cli.command(
    report,
    'trend',
    'RTO and RPO of all runs and drills against the objectives, and their slowest steps',
    '  $ argus report trend --out trend.html\n  $ argus --json report trend',
    () => import('../commands/report-trend.ts'),
    formats,
  );
}
