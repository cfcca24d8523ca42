import { type Command, Option } from 'commander';

/** The options about the plan itself; `--plan` is refused beside any of `apart`. */
export const planOptions = (command: Command, apart: string[]): Command =>
  command
    .option('--dry-run', 'print the plan and what blocks it; changes nothing')
    .option('--plan-out <file>', 'write the plan for review, and end; changes nothing')
    .addOption(
      new Option(
        '--plan <file>',
        'carry out this plan as it was written; refused (3) when the world has moved',
      ).conflicts(apart),
    );
