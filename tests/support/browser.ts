import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { ensureChromium } from '../../lab/setup/chromium.ts';

/** Why there is no browser for tests here; undefined: there is. */
export function browserMissing(): string | undefined {
  if (existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg')) return undefined;
  return 'no apt-get: Chromium comes from Debian packages';
}

/** Debian's Chromium without a window. */
export async function openBrowser(): Promise<Browser> {
  const { path, libraryFolders } = await ensureChromium(AbortSignal.timeout(240_000));
  return chromium.launch({
    executablePath: path,
    // Tests run as root in containers; what is opened is our own page.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryFolders.join(':') },
    timeout: 60_000,
  });
}
