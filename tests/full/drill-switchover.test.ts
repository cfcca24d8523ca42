import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DrillReport } from '../../drills/drill-report.ts';
import type { PastDrill } from '../../drills/schedule/past.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab under traffic: each test goes on where the one before ended.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startTestLab();
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

const slow = { timeout: 600_000 };
const drill = ['drill', 'run', '--switchover', '--yes', '--stay', '5s', '--reason', 'the yearly one'];
const reportOf = (json: object) => json as unknown as DrillReport;

test('a tabletop finds a platform that is well', slow, async () => {
  const report = await story.until('a tabletop that passes', async () => {
    const seen = reportOf(await story.json(['drill', 'run', '--plan-only'], [0, 1]));
    return seen.outcome === 'passed' ? seen : undefined;
  });
  expect(report).toMatchObject({ kind: 'tabletop', causes: [], from: names.primary, to: names.standby });
  expect(report.endedAtMs - report.startedAtMs).toBeLessThan(30_000);
});

test('a drill by switchover that is killed there is gone on with by the same command', slow, async () => {
  await story.until('green readiness', async () => {
    const { now } = (await story.json(['readiness'], [0, 1])) as { readonly now?: { readonly status: string } };
    return now?.status === 'green' ? now : undefined;
  });
  await story.killedAt(drill, /… Stay on/);
  const { roles } = (await story.json(['status'], [0, 1])) as { readonly roles?: object };
  expect(roles).toMatchObject({ primary: names.standby, standby: names.primary, replication: 'active' });
  const report = reportOf(await story.json(drill));
  expect(report).toMatchObject({
    kind: 'switchover',
    outcome: 'passed',
    rpo: { records: 0, certainty: 'counted' },
    legs: [
      { from: names.primary, to: names.standby, provenZero: true },
      { from: names.standby, to: names.primary, provenZero: true },
    ],
  });
  for (const { producersBlockedMs } of report.legs ?? []) expect(producersBlockedMs).toBeLessThan(60_000);
  await story.acknowledgedBy(names.primary);
  const { drills } = (await story.json(['drill', 'history'])) as { readonly drills?: readonly PastDrill[] };
  expect(drills?.slice(0, 2)).toMatchObject([
    { run: report.run, outcome: 'passed' },
    { kind: 'switchover', outcome: 'under-way' },
  ]);
});

test('and the auditor finds every acknowledged event once, in order', slow, async () => {
  await story.endTraffic(names.primary);
  const audit = await story.audit(names.primary);
  expect(audit).toMatchObject({ orphans: 0, lost: 0, lostUnknown: 0, duplicated: 0, misordered: 0 });
});
