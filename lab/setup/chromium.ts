import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { candidates, missingPackages, unpack } from './debian-packages.ts';
import { ensureExtraPart } from './extra-part.ts';
import type { Part, SetupEvent } from './part.ts';

/** A browser without a window, and where its libraries lie; none: the system has them. */
export interface Chromium {
  readonly path: string;
  readonly libraryFolders: readonly string[];
}

const browser = 'chromium-headless-shell';
const installed = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const hint = `${browser} comes from Debian's packages, unpacked and not installed: \`apt-get update\`, then again`;

/** The machine's Chromium, or Debian's in the lab's cache, with what of its libraries the machine lacks. Nothing is installed. */
export async function ensureChromium(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void = () => undefined,
): Promise<Chromium> {
  const there = installed.find((path) => existsSync(path));
  if (there !== undefined) return { path: there, libraryFolders: [] };
  const packages = await missingPackages(browser, hint, { signal });
  const files = await candidates(packages, hint, { signal });
  const hash = createHash('sha256').update(files.join(' ')).digest('hex').slice(0, 8);
  const version = new RegExp(`^${browser}_([0-9.]+)`, 'm').exec(files.join('\n'))?.[1] ?? 'unknown';
  const part: Part = {
    name: 'chromium',
    version: `${version}-${hash}`,
    sources: [],
    async build(target, context) {
      context.detail?.(`${packages.length} packages of Debian`);
      await unpack(packages, join(target, 'root'), hint, context);
    },
  };
  const root = join(await ensureExtraPart(part, signal, progress), 'root');
  const libraries = join(root, 'usr/lib');
  const nested = readdirSync(libraries)
    .filter((name) => name.endsWith('-linux-gnu'))
    .flatMap((name) => [join(libraries, name), join(libraries, name, 'pulseaudio')]);
  return { path: join(libraries, 'chromium', browser), libraryFolders: nested.filter((f) => existsSync(f)) };
}
