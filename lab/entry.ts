import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of another of our modules, to be started as a process of its own: `relative` (without extension) beside
 * the caller's file, with the caller's extension, so that it works from the sources (`.ts`) and compiled (`.js`).
 */
export function siblingEntry(importMetaUrl: string, relative: string): string {
  const extension = extname(new URL(importMetaUrl).pathname);
  return fileURLToPath(new URL(`${relative}${extension}`, importMetaUrl));
}

/**
 * The path of a file that is not compiled (a pom, a Go or Java source), named from the caller's folder. From the
 * compiled code it is found in the source tree beside `dist/`.
 */
export function sourceFile(importMetaUrl: string, relative: string): string {
  const beside = fileURLToPath(new URL(relative, importMetaUrl));
  if (existsSync(beside)) return beside;
  return beside.replace(/([\\/])dist[\\/](?!.*[\\/]dist[\\/])/, '$1');
}
