import type { Command } from 'commander';
import { ArgusError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import { commandTree } from '../shell/command-tree.ts';
import { completionScript, type Shell, shells } from '../shell/completion.ts';

/** `argus completion <shell>`: the script by which a shell completes Argus' commands and options. */
export function completionOf(program: Command) {
  return async (context: CommandContext, { shell }: { readonly shell: string }): Promise<number> => {
    if (!shells.includes(shell as Shell)) {
      const hint = `there are: ${shells.join(', ')}`;
      throw new ArgusError('ShellUnknown', `there is no completion for "${shell}"`, { exitCode: 2, hint });
    }
    const script = completionScript(commandTree(program), shell as Shell);
    context.print(context.json ? JSON.stringify({ shell, script }) : script);
    return 0;
  };
}
