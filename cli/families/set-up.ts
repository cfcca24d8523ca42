import type { CommandLine } from '../command-line.ts';
import { price, span } from '../option-values.ts';

/** From nothing to a first drill: what is asked once, and what is looked at whenever something changed. */
export function setUpCommands(cli: CommandLine): void {
  cli.command(
    cli.program,
    'doctor',
    'All checks under one roof: configuration, rights, jobs, buckets, names, clocks, versions, and what nobody moves by itself; each finding with a fix. Exit code 1 when one is an error',
    '  $ argus doctor\n  $ argus doctor --read-only --json\n  $ argus doctor --fix-hints > to-do.txt',
    () => import('../commands/doctor.ts'),
    (c) =>
      c
        .option('--region <name>', 'leave out what concerns only the other one')
        .option('--fix-hints', 'only what to do, a line each')
        .option('--read-only', 'write no probe objects: rights to write are then not tried')
        .option('--egress-price <amount>', 'of a GB that leaves the primary: tells what replication costs', price)
        .option('--timeout <time>', 'how long each check may take (default: 30s)', span),
  );
}
