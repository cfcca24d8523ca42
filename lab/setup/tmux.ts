import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { candidates, missingPackages, unpack } from './debian-packages.ts';
import { ensureExtraPart } from './extra-part.ts';
import type { Part, SetupEvent } from './part.ts';

/** tmux, and where its libraries lie; none: the system has them. */
export interface Tmux {
  readonly path: string;
  readonly libraryFolders: readonly string[];
}

const installed = '/usr/bin/tmux';
const hint = "tmux comes from Debian's packages, unpacked and not installed: `apt-get update`, then again";

/** The machine's tmux, or Debian's in the lab's cache, with what of its libraries the machine lacks. Nothing is installed. */
export async function ensureTmux(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void = () => undefined,
): Promise<Tmux> {
  if (existsSync(installed)) return { path: installed, libraryFolders: [] };
  const packages = await missingPackages('tmux', hint, { signal });
  const files = await candidates(packages, hint, { signal });
  const part: Part = {
    name: 'tmux',
    version: createHash('sha256').update(files.join(' ')).digest('hex').slice(0, 8),
    sources: [],
    async build(target, context) {
      context.detail?.(`${packages.length} packages of Debian`);
      await unpack(packages, join(target, 'root'), hint, context);
    },
  };
  const root = join(await ensureExtraPart(part, signal, progress), 'root');
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => {
    const of = join(root, folder);
    return existsSync(of) ? readdirSync(of).map((name) => join(of, name)) : [];
  });
  return { path: join(root, 'usr/bin/tmux'), libraryFolders: libraries.filter((f) => f.endsWith('-linux-gnu')) };
}
