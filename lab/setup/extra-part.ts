import { mkdir } from 'node:fs/promises';
import { defaultCacheDir } from './artifacts.ts';
import { lockFolder } from './lock.ts';
import { buildPart, isComplete, type Part, partFolder, type SetupEvent } from './part.ts';

/** The folder of a part that the lab itself doesn't need, in the lab's cache, where it is put when it is missing. */
export async function ensureExtraPart(
  part: Part,
  signal: AbortSignal,
  progress: (event: SetupEvent) => void,
): Promise<string> {
  const cacheDir = defaultCacheDir();
  const folder = await partFolder(part, cacheDir);
  if (isComplete(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  const unlock = await lockFolder(cacheDir, {
    signal,
    waiting: (pid) =>
      progress({ part: part.name, state: 'checking', detail: `waiting for another set-up (process ${pid})` }),
  });
  try {
    if (isComplete(folder)) return folder;
    progress({ part: part.name, state: 'installing' });
    await buildPart(part, folder, {
      signal,
      cacheDir,
      folderOf: () => folder,
      detail: (detail) => progress({ part: part.name, state: 'installing', detail }),
    });
    return folder;
  } finally {
    await unlock();
  }
}
