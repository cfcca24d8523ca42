import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatherTrend } from '../../drills/report/gather.ts';
import { reportPage } from '../../drills/report/page/report-page.ts';
import { trendPage } from '../../drills/report/page/trend-page.ts';
import { trendOf } from '../../drills/report/trend.ts';
import { browserMissing, openBrowser } from '../support/browser.ts';
import { modelOf, putSamples, startMs, writeRun } from '../unit/drills/report/sample-runs.ts';

const missing = browserMissing();
let browser: Browser;
const pages = new Map<string, string>();

beforeAll(async () => {
  if (missing !== undefined) return;
  browser = await openBrowser();
  const { state, run } = await writeRun({ steps: 60 });
  await putSamples(state, run);
  pages.set('a run of 60 steps', reportPage(await modelOf(state, run)));
  const { records } = await gatherTrend(state);
  const objectives = { rtoMs: 900_000, rpoMs: 60_000 };
  pages.set('a trend', trendPage(trendOf(records, { madeAtMs: startMs, version: '0.1.0', objectives })));
}, 300_000);
afterAll(() => browser?.close());

describe.skipIf(missing !== undefined)(`reports in a browser${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test.each([
    ['a run of 60 steps', 'light'],
    ['a run of 60 steps', 'dark'],
    ['a trend', 'light'],
    ['a trend', 'dark'],
  ] as const)('%s passes the checks of axe, %s', async (name, colorScheme) => {
    const page = await browser.newPage({ colorScheme });
    await page.setContent(pages.get(name) ?? '');
    // Its text comes in by the debugger, which no policy of the page holds for.
    await page.evaluate(axe.source);
    const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
    expect(found.violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((n) => n.html) }))).toEqual([]);
    await page.close();
  });

  test('nothing sticks out at 320 pixels, and on paper it has several pages', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } });
    for (const content of pages.values()) {
      await page.setContent(content);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    }
    await page.setContent(pages.get('a run of 60 steps') ?? '');
    const pdf = (await page.pdf({ printBackground: true, preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(3);
    await page.close();
  });
});
