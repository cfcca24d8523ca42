import type { Browser, Page } from 'playwright-core';
import { browserMissing, openBrowser } from './browser.ts';

/** The status page, open in a real browser while something happens. */
export interface WatchedPage {
  /** Every step that stood on the page since it was opened: `started Start the jobs`. */
  steps(): Promise<readonly string[]>;
  /** Every first sentence. */
  sentences(): Promise<readonly string[]>;
  /** The page as it looks now, into the folder that ARGUS_SCREENSHOTS names; without it nothing. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

const observe = `
window.seen = { steps: new Set(), sentences: new Set() };
new MutationObserver(() => {
  document.querySelectorAll('#now .steps li').forEach((li) => seen.steps.add(li.className + ' ' + li.firstChild.textContent));
  document.querySelectorAll('.say').forEach((e) => seen.sentences.add(e.textContent));
}).observe(document.body, { childList: true, subtree: true });
`;

/** Opens the page; undefined where there is no browser. */
export async function watchPage(url: string): Promise<WatchedPage | undefined> {
  if (browserMissing() !== undefined) return undefined;
  const browser: Browser = await openBrowser();
  const page: Page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.evaluate(observe);
  const list = async (name: string) => (await page.evaluate(`[...seen.${name}]`)) as readonly string[];
  return {
    steps: () => list('steps'),
    sentences: () => list('sentences'),
    async picture(name) {
      const folder = process.env.ARGUS_SCREENSHOTS;
      if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    },
    close: () => browser.close(),
  };
}
