import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { assembleStatus } from '../../health/status.ts';
import { type Fact, openJournal, runId } from '../../state/journal.ts';
import { acquireLease } from '../../state/lease.ts';
import { browserMissing, openBrowser } from '../support/browser.ts';
import { type PageWorld, startPages } from '../support/page-world.ts';
import { darkRegion, facts } from '../unit/health/status-sample.ts';

const missing = browserMissing();

let browser: Browser;
let world: PageWorld;
const evil = '<script>window.hurt=1</script>';

beforeAll(async () => {
  if (missing !== undefined) return;
  [browser, world] = await Promise.all([openBrowser(), startPages()]);
  const now = Date.now();
  const status = assembleStatus(facts());
  const minutes = Array.from({ length: 60 }, (_, i) => ({ atMs: now - (60 - i) * 60_000, lagMs: i * 20 }));
  const drill = { run: 'x', startedAtMs: now - 9_000, endedAtMs: now - 2_000, by: 'argus schedule on host' };
  world.board.put({
    status: {
      ...status,
      atMs: now,
      mirror: [...status.mirror, { topic: evil, lagRecords: 1, lagMs: 10, basis: 'live' }],
      warnings: [{ code: 'Suspicious', sentence: `a topic is called ${evil}` }],
    },
    lag: [{ topic: evil, points: minutes }],
    standing: {
      readiness: { atMs: now, colour: 'yellow', sentence: 'one warning', rtoMs: 41_000, rpoMs: 900, blockers: [] },
      verdicts: [{ code: 'MirrorStalled', severity: 'warning', sentence: evil, sinceMs: now }],
      decision: { mode: 'advise', kind: 'idle', sentence: 'nothing to act on', reasons: [], atMs: now },
    },
    drills: {
      last: { ...drill, kind: 'tabletop', outcome: 'failed', verdict: evil },
      lastProof: { ...drill, run: 'y', kind: 'isolated', outcome: 'passed', rtoMs: 42_000 },
      next: { slot: 'switchover-20270202T100000Z', kind: 'switchover', dueAtMs: now + 60_000, needsApproval: true },
    },
  });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(world.url);
  return page;
}

describe.skipIf(missing !== undefined)(`the status page in a browser${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('shows each step of a run that another process carries out, without being loaded anew', async () => {
    const page = await open();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.evaluate('window.loadedOnce = true');
    const run = runId(Date.now(), 'failover', 'ab12');
    const answer = await acquireLease(
      world.state,
      { holder: 'ops@laptop', purpose: 'failover', run, ttlMs: 60_000, waitMs: 0 },
      wallClock,
    );
    if (answer.kind !== 'acquired') throw new Error('the lease was not free');
    const journal = openJournal(world.state, { run, epoch: 1 }, wallClock);
    const steps = [
      { id: 'fence', title: 'fence the primary' },
      { id: 'start', title: `start ${evil}` },
    ];
    await journal.append({
      kind: 'run-started',
      runbook: 'failover',
      by: 'ops@laptop',
      details: { reason: evil, steps },
    });
    const shows = (text: string) => expect.poll(() => page.locator('#now').textContent()).toContain(text);
    await shows('waits');
    expect(await page.locator('.say').textContent()).toBe('A failover is under way');
    const acts: readonly (readonly [Fact, string])[] = [
      [{ kind: 'step-started', step: 'fence' }, 'under way'],
      [{ kind: 'step-finished', step: 'fence', status: 'done', ms: 1_200, evidence: {} }, 'done, 1.2 s'],
      [{ kind: 'step-started', step: 'start', pastReturn: true }, `start ${evil}`],
      [
        {
          kind: 'step-failed',
          step: 'start',
          status: 'failed',
          ms: 3_400,
          error: { code: 'NoSlots', message: 'no slots are free' },
          goesOn: true,
        },
        'no slots are free',
      ],
    ];
    for (const [fact, shown] of acts) {
      await journal.append(fact);
      await shows(shown);
    }
    await journal.append({ kind: 'run-finished', outcome: 'done', report: { rtoMs: 31_000 } });
    await expect.poll(() => page.locator('#runs').textContent()).toContain('RTO 31.0 s');
    expect(await page.locator('#now').innerHTML()).toBe('');
    expect(await page.evaluate('[window.loadedOnce, window.hurt]')).toEqual([true, undefined]);
    expect(errors).toEqual([]);
    await page.close();
  });

  test.for(['light', 'dark'] as const)(
    'passes the checks for contrast, names and order of axe, %s',
    async (colorScheme) => {
      const page = await open({ colorScheme });
      await page.locator('#live', { hasText: 'Live' }).waitFor();
      // Its text comes in by the debugger, which no policy of the page holds for.
      await page.evaluate(axe.source);
      const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
      expect(found.violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((n) => n.html) }))).toEqual([]);
      await page.close();
    },
  );

  test('is whole at 320 pixels: nothing sticks out, and what is wider scrolls by itself', async () => {
    const page = await open({ viewport: { width: 320, height: 640 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    await page.close();
  });

  test('is walked through with the keyboard alone', async () => {
    const page = await open();
    const stops: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      const stop = (await page.evaluate(
        "(() => { const e = document.activeElement; return e === document.body ? '' : e.getAttribute('aria-label') || e.textContent.trim(); })()",
      )) as string;
      if (stop === '') break;
      stops.push(stop);
    }
    expect(stops[0]).toBe('To what is shown');
    expect(stops).toEqual(expect.arrayContaining(['mumbai', 'singapore', 'Topics', 'Status as JSON', 'Metrics']));
    await page.close();
  });

  test('says the same without scripts, and loads itself anew', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(world.url);
    expect(await page.locator('.say').textContent()).toBe('mumbai serves, singapore is ready to take over');
    expect(await page.locator('noscript').innerHTML()).toContain('http-equiv="refresh"');
    await context.close();
  });

  test('says that nothing new comes when the daemon is gone, and what the primary being dark means when it is', async () => {
    const mine = await startPages();
    const page = await browser.newPage();
    const nowMs = Date.now();
    mine.board.put({ status: { ...assembleStatus(facts({ regions: [darkRegion('mumbai')] })), atMs: nowMs } });
    await page.goto(mine.url);
    await expect.poll(() => page.locator('.say').textContent()).toBe('mumbai is the primary, and not well');
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    await mine.close();
    await page.locator('#live.lost').waitFor({ timeout: 10_000 });
    expect(await page.locator('#live').textContent()).toMatch(/^Connection lost at .* UTC/);
    await page.close();
  });
});
