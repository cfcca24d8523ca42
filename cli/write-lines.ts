import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArgusError, describeError } from '../domain/errors.ts';

/** Opens a file that was not there: never over another (`FileNotWritten`, exit code 2). */
export async function newFile(path: string): Promise<Writable> {
  try {
    return (await open(path, 'wx', 0o600)).createWriteStream();
  } catch (cause) {
    const message = `${path} can't be made: ${describeError(cause)}`;
    throw new ArgusError('FileNotWritten', message, { cause, exitCode: 2 });
  }
}

/**
 * Writes each line as fast as they are taken, and gives how many. Resolves once a file has all of them, and rejects
 * (`FileNotWritten`) when it does not; stdout is left open.
 */
export async function writeLines(
  lines: () => AsyncIterable<string>,
  out: Writable,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  async function* counted() {
    for await (const line of lines()) {
      count++;
      yield `${line}\n`;
    }
  }
  try {
    await pipeline(counted, out, { signal, end: out !== process.stdout });
    return count;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ArgusError) throw cause;
    throw new ArgusError('FileNotWritten', `not all was written: ${describeError(cause)}`, {
      cause,
      hint: 'what was written is not whole: remove it, and try again where there is room',
    });
  }
}
