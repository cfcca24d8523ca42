import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { DrillReport } from '../../drills/drill-report.ts';
import type { PastDrill } from '../../drills/schedule/past.ts';
import type { Lab } from '../../lab/lab.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab under traffic, whose daemon has a schedule: nobody types anything.
let lab: Lab;
let story: LabStory;
/** Soon, but when the daemon follows its schedule already: what was due before isn't caught up. */
let dueAtMs: number;

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  dueAtMs = Math.ceil((Date.now() + 45_000) / 60_000) * 60_000;
  const due = new Date(dueAtMs);
  const cron = `${due.getUTCMinutes()} ${due.getUTCHours()} ${due.getUTCDate()} ${due.getUTCMonth() + 1} *`;
  const config = parse(readFileSync(lab.configPath, 'utf8'));
  config.drill.schedule = [
    // This one may not begin today; the second may, and they make one drill.
    { kind: 'isolated', cron, blackout: [due.toISOString().slice(0, 10)] },
    { kind: 'isolated', cron, windows: [{ from: '00:00', to: '24:00' }] },
    { kind: 'tabletop', cron },
  ];
  writeFileSync(lab.configPath, stringify(config));
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

const slow = { timeout: 420_000 };
const history = async () =>
  (await story.json(['drill', 'history'])) as { readonly drills?: readonly PastDrill[]; readonly leftOut?: object[] };
let run = '';

test(
  'the daemon runs the isolated drill by itself when all is calm; it passes, and the tabletop waits for it',
  slow,
  async () => {
    const both = await story.until(
      'both drills to have ended',
      async () => {
        const { drills = [] } = await history();
        return drills.length >= 2 && drills.every((d) => d.endedAtMs !== undefined) ? drills : undefined;
      },
      400_000,
    );
    const isolated = both.find((d) => d.kind === 'isolated');
    const tabletop = both.find((d) => d.kind === 'tabletop');
    expect(isolated, JSON.stringify(both)).toMatchObject({ outcome: 'passed', slotAtMs: dueAtMs, leaks: 0 });
    expect(isolated?.by).toMatch(/argus schedule/);
    expect(isolated?.startedAtMs).toBeGreaterThanOrEqual(dueAtMs);
    expect(tabletop).toMatchObject({ slotAtMs: dueAtMs });
    const [first, second] = both.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
    expect(second?.startedAtMs).toBeGreaterThanOrEqual(first?.endedAtMs ?? Number.NaN);
    run = isolated?.run ?? '';
  },
);

test('its report tells who began it and what it measured, and has not been changed', slow, async () => {
  const file = join(lab.dir, 'drill.html');
  await story.json(['report', 'show', run, '--out', file]);
  expect(readFileSync(file, 'utf8')).toContain(run);
  expect(await story.json(['report', 'verify', file])).toMatchObject({ kind: 'whole', state: { kind: 'same' } });
  const { report } = (await story.json(['runs', 'show', run])) as { readonly report?: DrillReport };
  expect(report).toMatchObject({
    trigger: { kind: 'schedule', slotAtMs: dueAtMs, late: false },
    comparisons: [{ topic: 'metrics', kind: 'compared', missing: 0, unexpected: 0, differing: 0 }],
    rpo: { certainty: 'counted' },
  });
});

test('the metrics tell of it, and nothing more is due before a year is over', slow, async () => {
  const metric = await story.until('the metrics to tell of both', async () => {
    const text = await (await fetch(`http://127.0.0.1:${lab.info.daemonPort}/metrics`)).text();
    return /argus_drill_last_timestamp\{[^}]*tabletop/.test(text) ? text : undefined;
  });
  const value = (name: string) =>
    Number(new RegExp(`^${name}\\{[^}]*kind="isolated"[^}]*\\} (.+)$`, 'm').exec(metric)?.[1]);
  expect(value('argus_drill_last_passed')).toBe(1);
  expect(value('argus_drill_last_leaks')).toBe(0);
  expect(value('argus_drill_last_rto_seconds')).toBeGreaterThan(1);
  expect(value('argus_drill_next_timestamp') * 1_000).toBeGreaterThan(dueAtMs + 300 * 86_400_000);
  const { drills, leftOut } = await history();
  expect(drills).toHaveLength(2);
  expect(leftOut).toEqual([]);
});
