import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import { commandTree } from '../shell/command-tree.ts';
import { manPage } from '../shell/man-page.ts';

/** `argus man`: the manual page, to stdout or as `argus.1` in a folder. */
export function manOf(program: Command) {
  return async (context: CommandContext, { out }: { readonly out?: string }): Promise<number> => {
    const page = manPage(commandTree(program), program.version() ?? '');
    if (out === undefined) {
      context.print(context.json ? JSON.stringify({ page }) : page);
      return 0;
    }
    const file = join(out, 'argus.1');
    try {
      await mkdir(out, { recursive: true });
      await writeFile(file, page);
    } catch (cause) {
      const message = `${file} can't be written: ${describeError(cause)}`;
      throw new ArgusError('FileNotWritten', message, { cause, exitCode: 2 });
    }
    context.print(context.json ? JSON.stringify({ file }) : `${file} is written; read it by: man -l ${file}`);
    return 0;
  };
}
