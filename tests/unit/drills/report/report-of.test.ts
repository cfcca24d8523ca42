import { expect, test } from 'vitest';
import { gatherTrend } from '../../../../drills/report/gather.ts';
import { reportMarkdown, trendMarkdown } from '../../../../drills/report/markdown.ts';
import { reportPage } from '../../../../drills/report/page/report-page.ts';
import { trendPage } from '../../../../drills/report/page/trend-page.ts';
import { trendOf } from '../../../../drills/report/trend.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { runId } from '../../../../state/journal.ts';
import { putRecount } from '../../../../state/recounts.ts';
import { putRescued } from '../../../../state/rescued.ts';
import { drillReport, modelOf, putSamples, startMs, writeRun } from './sample-runs.ts';

test('the figures of a failover are those of the run, by the objectives that it noted', async () => {
  const { state, run } = await writeRun();
  const model = await modelOf(state, run);
  expect(model).toMatchObject({
    ...{
      title: 'Failover, mumbai → singapore',
      status: 'done',
      reason: 'flood',
      by: 'ann@laptop',
      objectivesOf: 'run',
    },
    rto: { ms: 95_000, objectiveMs: 900_000, met: true },
    rpo: { records: 45, bytes: 5_400, ms: 600, met: true, certainty: 'estimated' },
    ...{ replayedRecords: 170, share: { totalMs: 75_000, ownMs: 4_000 }, configSha256: 'c'.repeat(64) },
    pointOfNoReturn: { step: 'step-4' },
    rejected: [{ code: 'FileMissing' }],
    journal: { chained: true, head: { seq: 14 } },
  });
  expect(model.rpo?.topics).toEqual([
    { topic: 'events', records: 45, bytes: 5_400, ms: 600, certainty: 'estimated', atMostRecords: 90 },
    { topic: 'audit', records: 0, bytes: 0, ms: 0, certainty: 'proven' },
  ]);
  expect(model.steps[1]).toMatchObject({
    status: 'done',
    ms: 1_250,
    waitedMs: 1_000,
    waitsFor: 'Flink of the standby',
  });
  expect(model.steps[1]?.evidence).toMatchObject({ by: 'ann@laptop', seen: { offsets: [{ offset: '407' }] } });
});

test('what was counted later stands in the place of the estimate, a failback’s count before a recount', async () => {
  const { state, run } = await writeRun();
  const lost = { counted: 51, bytes: 6_000, ms: 700, exact: true, stillGrowing: false };
  await putRecount(state, { run, atMs: startMs, by: 'ann', topics: { events: lost }, uncounted: [] });
  const counted = (await modelOf(state, run)).rpo;
  expect(counted).toMatchObject({ records: 51, bytes: 6_000, ms: 700, certainty: 'counted' });
  const partition = { partition: 0, ranges: [], orphans: 52n, aborted: 0n, open: 0n, older: 0n, bytes: 6_100n };
  const topics = { events: { partitions: [partition], where: 'a topic', verifiedAtMs: startMs, reseeded: true } };
  const rescued = {
    promotion: 2,
    region: 'mumbai',
    keptBy: 'singapore',
    to: 'topic',
    run: 'r',
    atMs: startMs,
    topics,
  } as const;
  await putRescued(state, rescued);
  const model = await modelOf(state, run);
  expect(model.rpo?.topics[0]).toMatchObject({ records: 52, bytes: 6_100, certainty: 'counted', estimatedRecords: 45 });
  expect(model.verdict).toContain('52 records were on mumbai alone, and the failback kept them');
});

test('without samples the plots say that nobody noted; with them they are drawn, with gaps', async () => {
  const { state, run } = await writeRun();
  expect(reportPage(await modelOf(state, run))).toContain('Nobody noted lag and checkpoint age');
  await putSamples(state, run);
  const page = reportPage(await modelOf(state, run));
  const [, drawn = ''] = /<path class="line line-0" d="(M[^"]+)"/.exec(page) ?? [];
  expect(drawn.match(/M/g)).toHaveLength(2);
  expect(page).toContain('age of the newest checkpoint of sessions');
});

test('a run that was cut off tells so, and by which run it was gone on with', async () => {
  const { state, run } = await writeRun({ cut: true });
  const { run: next } = await writeRun({ state, atMs: startMs + 60_000 });
  expect(await modelOf(state, run)).toMatchObject({
    status: 'running',
    related: [{ run: next, relation: 'went on with this run' }],
  });
  const after = await modelOf(state, next);
  expect(after.related).toMatchObject([{ run, relation: 'gone on with by this run' }]);
  expect(after.hints.map((h) => h.code)).toContain('CutOff');
  const { records } = await gatherTrend(state);
  const trend = trendOf(records, { madeAtMs: startMs, version: '0', objectives: { rtoMs: 1, rpoMs: 1 } });
  expect(trend.kinds).toEqual([{ kind: 'failover', well: 1, not: 0 }]);
  expect(trend.runs[0]?.goneOnWith).toBe(next);
});

test('a drill’s report is shown from its own state', async () => {
  const { state, run } = await writeRun({ runbook: 'drill', report: drillReport('x', startMs) });
  const model = await modelOf(state, run);
  expect(model).toMatchObject({
    title: 'Isolated drill, mumbai → singapore',
    drill: 'isolated',
    rpo: { records: 12, certainty: 'counted' },
  });
  expect(model.replayedRecords).toBe(60);
  expect(reportPage(model)).toContain('Nothing is left of it');
  expect(reportMarkdown(model)).toContain('900 records against mirrored: 0 missing');
});

test('a run of 60 steps is drawn in pieces that fit on a page, every step in picture and table', async () => {
  const { state, run } = await writeRun({ steps: 60 });
  const page = reportPage(await modelOf(state, run));
  expect(page.match(/<svg class="gantt"/g)).toHaveLength(2);
  for (const n of [1, 30, 31, 60]) expect(page.split(`${n}. Do what step ${n} does`).length).toBeGreaterThanOrEqual(4);
});

test('a trend of 24 drills has each of them, and says how many missed the objective', async () => {
  const state = memoryObjectStore('state');
  for (let month = 0; month < 24; month++) {
    const atMs = startMs + month * 30 * 86_400_000;
    const well = month % 7 !== 3;
    const report = drillReport(runId(atMs, 'drill', '00aa'), atMs, {
      rto: { ms: 25_000 + month * 50_000, objectiveMs: 900_000 },
      ...(well ? {} : { outcome: 'failed', verdict: 'the output differed' }),
    });
    await writeRun({ state, atMs, runbook: 'drill', report });
  }
  const { records, unreadable } = await gatherTrend(state);
  const objectives = { rtoMs: 900_000, rpoMs: 60_000 };
  const model = trendOf(records, { madeAtMs: startMs, version: '0.1.0', objectives });
  expect([model.runs.length, unreadable]).toEqual([24, []]);
  expect(model.kinds).toEqual([{ kind: 'isolated drill', well: 21, not: 3 }]);
  expect(model.slowest[0]).toMatchObject({ medianMs: 1_250, runs: 24 });
  const page = trendPage(model);
  expect(page).toContain('RTO of 24 runs against the objective of 15 min 0 s: 6 missed it');
  expect(page.match(/ not-well"[^>]*transform/g)).toHaveLength(6);
  expect(
    trendMarkdown(model)
      .split('\n')
      .filter((l) => l.startsWith('| `')),
  ).toHaveLength(24);
});

test('what others wrote is shown and is no markup, in HTML and in Markdown', async () => {
  const evil = '<img src=x onerror=alert(1)> [a](javascript:b) | `c`';
  const { state, run } = await writeRun({ title: evil });
  const model = { ...(await modelOf(state, run)), reason: evil, verdict: evil };
  const page = reportPage(model);
  expect(page).not.toMatch(/<img|<script/);
  expect(page).toContain('&lt;img src=x');
  expect(reportMarkdown(model)).not.toMatch(/(^|[^\\])<img|[^\\]\[a\]\(/m);
});
