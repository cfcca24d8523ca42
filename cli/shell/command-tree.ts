import type { Command } from 'commander';

/** An option of a command. */
export interface TreeOption {
  /** `-c, --config <file>` */
  readonly flags: string;
  /** `-c` and `--config`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly description: string;
}

/** A command as the command line has it, with those below it. */
export interface TreeCommand {
  /** Words from the program's name on, which is not among them. */
  readonly path: readonly string[];
  readonly description: string;
  /** Other names of its last word. */
  readonly aliases: readonly string[];
  /** `<id>`, `[file]`. */
  readonly arguments: readonly string[];
  readonly options: readonly TreeOption[];
  /** Lines of its examples, without the prompt. */
  readonly examples: readonly string[];
  /** It does something by itself; else it only groups those below. */
  readonly acts: boolean;
  readonly commands: readonly TreeCommand[];
}

/** The tree below a command. Reads commander's own objects; nothing is run. */
export function commandTree(command: Command, path: readonly string[] = []): TreeCommand {
  return {
    path,
    description: command.description(),
    aliases: command.aliases(),
    arguments: command.registeredArguments.map((of) => {
      const name = of.variadic ? `${of.name()}...` : of.name();
      return of.required ? `<${name}>` : `[${name}]`;
    }),
    options: command.options.map(({ flags, short, long, required, optional, description }) => ({
      flags,
      names: [short, long].filter((name) => name !== undefined),
      takesValue: required || optional,
      description,
    })),
    examples: examplesOf(command),
    acts: command.commands.length === 0,
    commands: command.commands.map((below) => commandTree(below, [...path, below.name()])),
  };
}

/** All commands of a tree, its root first. */
export function everyCommand(tree: TreeCommand): readonly TreeCommand[] {
  return [tree, ...tree.commands.flatMap(everyCommand)];
}

/** What its help says behind `Example:`. */
function examplesOf(command: Command): readonly string[] {
  let text = '';
  const before = command.configureOutput();
  command.configureOutput({ writeOut: (written) => (text += written) });
  command.outputHelp();
  command.configureOutput(before);
  const [, after = ''] = text.split(/^Example:$/m);
  return [...after.matchAll(/^ {2}\$ (.+)$/gm)].map((match) => match[1] ?? '');
}
