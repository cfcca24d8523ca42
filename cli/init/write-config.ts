import { randomBytes } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { ArgusError, describeError } from '../../domain/errors.ts';

/** Writes the file, whole or not at all; over one that is there only with `force` (`ConfigExists`, exit code 2). */
export async function writeConfig(path: string, text: string, force: boolean): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(draft, text, { flag: 'wx', mode: 0o644 });
    if (force) await rename(draft, path);
    else await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw configExists(path);
    throw new ArgusError('FileNotWritten', `${path} can't be written: ${describeError(cause)}`, { cause, exitCode: 2 });
  } finally {
    await rm(draft, { force: true });
  }
}

/** Refuses to replace a configuration that was not asked to be replaced. */
export function configExists(path: string): ArgusError {
  return new ArgusError('ConfigExists', `${path} is there already`, {
    hint: 'give --force to replace it, or another name by --config',
    exitCode: 2,
  });
}
