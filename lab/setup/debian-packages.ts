import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartContext } from './part.ts';
import { runTool, type ToolContext } from './tool.ts';

/** The names of the package files that apt would fetch now: they carry the versions. `hint`: what to do where apt fails. */
export async function candidates(
  packages: readonly string[],
  hint: string,
  context: ToolContext,
): Promise<readonly string[]> {
  const uris = await runTool({ command: 'apt-get', args: ['--print-uris', 'download', ...packages], hint }, context);
  return packageFiles(uris);
}

/** The file names in what `apt-get --print-uris` prints: `'<uri>' <file> <size> <hash>`, one a line. */
export function packageFiles(uris: string): readonly string[] {
  return uris
    .split('\n')
    .map((line) => /^'[^']*' (\S+\.deb) /.exec(line)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/** What apt would install for a package on this machine: itself, and what it needs and is not there. */
export async function missingPackages(name: string, hint: string, context: ToolContext): Promise<readonly string[]> {
  const args = ['install', '--simulate', '--no-install-recommends', name];
  const plan = await runTool({ command: 'apt-get', args, hint }, context);
  return plan
    .split('\n')
    .map((line) => /^Inst (\S+) /.exec(line)?.[1])
    .filter((found) => found !== undefined);
}

/** Fetches packages with apt and unpacks them below a folder; nothing is installed, so no root is needed. */
export async function unpack(
  names: readonly string[],
  root: string,
  hint: string,
  context: PartContext,
): Promise<void> {
  const downloads = `${root}-downloads`;
  await mkdir(downloads);
  await runTool({ command: 'apt-get', args: ['-q', 'download', ...names], cwd: downloads, hint }, context);
  for (const name of await readdir(downloads)) {
    await runTool({ command: 'dpkg', args: ['-x', join(downloads, name), root], hint }, context);
  }
  await rm(downloads, { recursive: true });
}
