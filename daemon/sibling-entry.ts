import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of another entry of ours, to be started as a process: `relative` (without extension) from the calling
 * module, with that module's own extension, so that sources start sources and the build starts the build.
 */
export function siblingEntry(importMetaUrl: string, relative: string): string {
  return fileURLToPath(new URL(relative + extname(fileURLToPath(importMetaUrl)), importMetaUrl));
}
