import { mkdir } from 'node:fs/promises';
import { sourceFile } from '../../lab/entry.ts';
import { defaultCacheDir } from '../../lab/setup/artifacts.ts';
import { lockFolder } from '../../lab/setup/lock.ts';
import { copyDependencies } from '../../lab/setup/maven.ts';
import { buildPart, isComplete, type Part, partFolder, type SetupEvent } from '../../lab/setup/part.ts';

const pom = sourceFile(import.meta.url, 'maven/mirrormaker.pom.xml');

/** The jars of MirrorMaker 2 and of Kafka's own tools. */
export const mirrorMakerPart: Part = {
  name: 'mirrormaker',
  version: '4.3.1',
  sources: [pom],
  build: (target, context) => copyDependencies(pom, target, context),
};

/** The folder of MirrorMaker's jars in the lab's cache, where they are put when they are missing. */
export async function ensureMirrorMaker(signal: AbortSignal, progress: (event: SetupEvent) => void): Promise<string> {
  const cacheDir = defaultCacheDir();
  const folder = await partFolder(mirrorMakerPart, cacheDir);
  if (isComplete(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  const part = mirrorMakerPart.name;
  const unlock = await lockFolder(cacheDir, { signal });
  try {
    if (isComplete(folder)) return folder;
    progress({ part, state: 'installing' });
    await buildPart(mirrorMakerPart, folder, {
      signal,
      cacheDir,
      folderOf: () => folder,
      detail: (detail) => progress({ part, state: 'installing', detail }),
    });
    return folder;
  } finally {
    await unlock();
  }
}
