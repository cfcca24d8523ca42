import type { CommandLine } from '../command-line.ts';
import { initOptions } from '../init/options.ts';
import { price, span } from '../option-values.ts';

/** From nothing to a first drill: what is asked once, and what is looked at whenever something changed. */
export function setUpCommands(cli: CommandLine): void {
  cli.command(
    cli.program,
    'init',
    'Write a commented argus.yaml: asks, or takes options and a file of answers; looks at every connection meanwhile',
    '  $ argus init\n  $ argus init --answers answers.yaml --yes\n  $ argus init --config new.yaml --offline',
    () => import('../commands/init.ts'),
    (c) => {
      c.option(
        '--answers <file>',
        'YAML with the answers: the options below, those of a region under primary and standby',
      )
        .option('--yes', "don't ask: take what is given, found or usual")
        .option('--offline', 'look at nothing')
        .option('--force', 'replace the file that is there');
      for (const { flag, value, about } of initOptions) c.option(`${flag} <${value}>`, about);
      return c;
    },
  );
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
  cli.command(
    cli.program,
    'completion <shell>',
    'The script by which bash, zsh or fish complete commands and options',
    '  $ argus completion bash > ~/.local/share/bash-completion/completions/argus\n  $ argus completion fish | source',
    async () => ({ run: (await import('../commands/completion.ts')).completionOf(cli.program) }),
    (c) => c,
    (shell) => ({ shell }),
  );
  cli.command(
    cli.program,
    'man',
    'The manual page, for man',
    '  $ argus man | man -l -\n  $ argus man --out /usr/local/share/man/man1',
    async () => ({ run: (await import('../commands/man.ts')).manOf(cli.program) }),
    (c) => c.option('--out <folder>', 'write argus.1 there instead'),
  );
}
