import type { Command } from 'commander';
import type { CommandContext } from './context.ts';

/** What a command's module gives: its exit code. */
type Run<O> = (context: CommandContext, options: O) => Promise<number>;

/** Where the families of commands are added. */
export interface CommandLine {
  readonly program: Command;
  /** A name that only groups commands. */
  group(name: string, description: string, example: string): Command;
  /**
   * Adds a command whose module is loaded when it runs. `argument` makes an option of the word behind the command's
   * name, where it has one.
   */
  command<O extends object>(
    parent: Command,
    usage: string,
    description: string,
    example: string,
    load: () => Promise<{ readonly run: Run<O> }>,
    build?: (command: Command) => Command,
    argument?: (value: string) => object,
  ): void;
}

interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly plain?: boolean;
}

/** Families are added to what this gives; `onExit` gets a command's exit code when it has ended. */
export function commandLine(program: Command, onExit: (exitCode: number) => void): CommandLine {
  return {
    program,
    group: (name, description, example) =>
      program.command(name).description(description).addHelpText('after', `\nExample:\n  $ ${example}`),
    command(parent, usage, description, example, load, build = (c) => c, argument = () => ({})) {
      const made = build(parent.command(usage).description(description)).addHelpText('after', `\nExample:\n${example}`);
      made.action(async (...args: unknown[]) => {
        const given = args.at(-1) as Command;
        const first = argument(args[0] as string);
        const { openContext } = await import('./open-context.ts');
        const [{ run }, context] = [await load(), await openContext(program.opts<GlobalOptions>())];
        onExit(await run(context, { ...given.opts(), ...first }));
      });
    },
  };
}
