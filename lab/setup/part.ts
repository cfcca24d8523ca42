import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolContext } from './tool.ts';

/** One thing that the set-up installs into the cache folder. */
export interface Part {
  readonly name: string;
  /** Part of the folder's name, so that another version lies beside it. */
  readonly version: string;
  /** Files and folders whose contents decide what is built: when one changes, the part is built again. */
  readonly sources: readonly string[];
  /** Makes the part in `target`, an empty folder that gets its final name only when this succeeded. */
  build(target: string, context: PartContext): Promise<void>;
}

/** What a part's build may use. */
export interface PartContext extends ToolContext {
  readonly cacheDir: string;
  /** The finished folder of a part that was installed before this one. */
  folderOf(name: string): string;
}

/** A step of one part's installation. `ms` comes with `ready` and `failed`: the time spent on it. */
export interface SetupEvent {
  readonly part: string;
  readonly state: 'checking' | 'installing' | 'ready' | 'failed';
  readonly detail?: string;
  readonly ms?: number;
}

const marker = '.complete';
const unfinished = '.building-';

/** The part's folder in the cache, `<name>-<version>-<hash of its sources>`; it need not exist yet. */
export async function partFolder(part: Part, cacheDir: string): Promise<string> {
  const hash = createHash('sha256').update(`${part.name} ${part.version}\n`);
  for (const source of part.sources) await hashTree(hash, source, '');
  return join(cacheDir, `${part.name}-${part.version}-${hash.digest('hex').slice(0, 8)}`);
}

/** Whether the part in this folder was finished: a set-up that was killed leaves no such folder. */
export function isComplete(folder: string): boolean {
  return existsSync(join(folder, marker));
}

/** Builds a part into a temporary folder and gives it its name; anything half done before is removed. */
export async function buildPart(part: Part, folder: string, context: PartContext): Promise<void> {
  const target = `${folder}${unfinished}${process.pid}`;
  await rm(target, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  try {
    await part.build(target, context);
    await writeFile(join(target, marker), `${part.name} ${part.version}\n`);
    await rename(target, folder);
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what set-ups that were killed left in the cache. Only to be called under the cache's lock. */
export async function removeUnfinished(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.includes(unfinished)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

async function hashTree(hash: ReturnType<typeof createHash>, path: string, name: string): Promise<void> {
  if ((await stat(path)).isDirectory()) {
    // Build results never decide what is built.
    const names = (await readdir(path)).filter((child) => child !== 'target' && !child.startsWith('.')).sort();
    for (const child of names) await hashTree(hash, join(path, child), `${name}/${child}`);
    return;
  }
  const bytes = await readFile(path);
  hash.update(`${name} ${bytes.length}\n`).update(bytes);
}
