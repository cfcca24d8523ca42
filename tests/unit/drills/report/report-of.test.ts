import { expect, test } from 'vitest';
import { gatherTrend } from '../../../../drills/report/gather.ts';
import { reportMarkdown, trendMarkdown } from '../../../../drills/report/markdown.ts';
import { outcomeOf } from '../../../../drills/report/measured.ts';
import { reportPage } from '../../../../drills/report/page/report-page.ts';
import { trendPage } from '../../../../drills/report/page/trend-page.ts';
import { stepsOf } from '../../../../drills/report/steps-of.ts';
import { trendOf } from '../../../../drills/report/trend.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { type JournalEntry, runId } from '../../../../state/journal.ts';
import { putRecount } from '../../../../state/recounts.ts';
import { putRescued } from '../../../../state/rescued.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { drillReport, failoverReport, modelOf, putSamples, startMs, writeRun } from './sample-runs.ts';

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

test('what the regions ran stands in all forms, and what did not answer is called not seen', async () => {
  const { state, run } = await writeRun();
  const model = await modelOf(state, run);
  const seen = 'Kafka 4.3 (metadata.version 30) · Flink 2.2.1 · Kubernetes v1.36.3';
  const silent = 'Kafka not seen · Flink not seen · Kubernetes not seen';
  expect(model.versions).toMatchObject({
    ...{ argus: '0.1.0', node: '24.21.0' },
    platform: [
      { region: 'mumbai', kafka: null, text: silent },
      { region: 'singapore', kubernetes: 'v1.36.3', text: seen },
    ],
  });
  for (const made of [reportPage(model), reportMarkdown(model)])
    for (const text of [seen, silent]) expect(made).toContain(text);
  // A journal of a version that didn't ask.
  const { platform: _, ...older } = model.versions;
  expect(reportPage({ ...model, versions: older })).not.toContain('In mumbai');
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

test('a drill that was cut off was gone on with by none but the one that names it', async () => {
  const { state, run } = await writeRun({ runbook: 'drill', cut: true });
  const drill = async (afterMs: number, more: object = {}) => {
    const atMs = startMs + afterMs;
    return writeRun({ state, runbook: 'drill', atMs, report: drillReport('x', atMs), ...more });
  };
  const other = await drill(60_000);
  const next = await drill(120_000, { resumes: run });
  expect((await modelOf(state, run)).related).toMatchObject([{ run: next.run, relation: 'went on with this run' }]);
  expect((await modelOf(state, other.run)).related).toEqual([]);
  const { records } = await gatherTrend(state);
  const trend = trendOf(records, { madeAtMs: startMs, version: '0', objectives: { rtoMs: 1, rpoMs: 1 } });
  expect(trend.runs[0]?.goneOnWith).toBe(next.run);
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
  expect(reportPage(model)).toContain('Nothing is left of it: topics, groups, objects and jobs were counted');
  expect(reportMarkdown(model)).toContain('900 records against mirrored: 0 missing');
});

test('DNS is counted before and after only when somebody answered for every name', async () => {
  const { state, run } = await writeRun({ runbook: 'drill', report: drillReport('x', startMs) });
  const model = await modelOf(state, run);
  const told = (before: object) => {
    const [first, ...rest] = model.steps;
    const seen = { before: { dns: 2 }, ...before };
    return reportPage({ ...model, steps: [{ ...first!, evidence: { ...first!.evidence!, seen } }, ...rest] });
  };
  expect(told({})).toContain('topics, groups, objects, jobs and DNS records were counted');
  expect(told({ dnsNotAsked: ['ingest.argus.test A'] })).toContain('topics, groups, objects and jobs were counted');
});

test('a drill by switchover tells its two moves, and what its figures are of', async () => {
  const leg = { provenZero: true, producersBlockedMs: 4_000, rtoMs: 9_000 };
  const legs = [
    { ...leg, runs: ['there'], from: 'mumbai', to: 'singapore' },
    { ...leg, runs: ['back'], from: 'singapore', to: 'mumbai', rtoMs: 12_000 },
  ];
  const rpo = { objectiveMs: 60_000, ms: 0, records: 0, certainty: 'counted' as const, topics: [] };
  const more = { kind: 'switchover' as const, legs, rpo, rto: { ms: 12_000, objectiveMs: 900_000 } };
  const { state, run } = await writeRun({ runbook: 'drill', report: drillReport('x', startMs, more) });
  const model = await modelOf(state, run);
  expect(model.legs).toEqual(legs);
  expect(model.rto?.means).toContain('the longer of the two moves');
  expect(model.rpo).toMatchObject({ records: 0, bytes: 0, certainty: 'proven' });
  expect(reportPage(model)).toContain('The moves that it was made of');
  expect(reportMarkdown(model)).toContain('singapore → mumbai: RTO 12.0 s, producers waited 4.0 s');
});

test('a loss that nobody knows all of has no total', async () => {
  const topics = [{ topic: 'events', records: 12, ms: 420 }];
  const rpo = { objectiveMs: 60_000, certainty: 'estimated' as const, topics };
  const { state, run } = await writeRun({ runbook: 'drill', report: drillReport('x', startMs, { rpo }) });
  expect((await modelOf(state, run)).rpo).toMatchObject({ records: null, bytes: null, ms: null, certainty: 'unknown' });
});

test.each([
  ['failover', true, 'singapore has begun to take over, and the failover has to be gone on with'],
  ['failover', false, 'singapore did not take over'],
  ['switchover', true, 'singapore has begun to take over, and the switchover has to be gone on with'],
  ['switchover', false, 'mumbai stays the primary'],
])('a %s that failed says where it leaves things: past return %s', (runbook, pastReturn, verdict) => {
  const more = { outcome: 'failed', rtoMs: null, pastReturn, savepoints: [] };
  const report = failoverReport('x', { ...more, ...(runbook === 'failover' ? {} : { rpo: { partitions: [] } }) });
  expect(outcomeOf(runbook, report, { rtoMs: 1, rpoMs: 1 }, {}).verdict).toContain(verdict);
});

test('of a step that was taken back, what it did stays apart from its way back', () => {
  const step = { step: 'stop', ms: 5_000 };
  const facts: readonly JournalEntry['fact'][] = [
    { kind: 'run-started', runbook: 'failover', by: 'ann', details: { steps: [] } },
    { kind: 'step-started', step: 'stop' },
    { kind: 'step-finished', ...step, status: 'done', waitedMs: 4_000, evidence: { acted: true } },
    { kind: 'step-compensated', step: 'stop', ms: 70, evidence: { back: true } },
  ];
  const entries = facts.map((fact, i) => ({ run: 'r', epoch: 1, seq: i + 1, atMs: startMs + i, fact }) as JournalEntry);
  const told = (all: readonly JournalEntry[]) => stepsOf(foldRun(all)!, all)[0];
  const acted = { ms: 5_000, waitedMs: 4_000, evidence: { seen: { acted: true } } };
  expect(told(entries)).toMatchObject({
    ...{ ...acted, status: 'compensated' },
    takenBack: { ms: 70, seen: { back: true } },
  });
  const error = { code: 'Gone', message: 'the broker is away' };
  const last = { ...entries[3]!, fact: { ...facts[3], error } } as JournalEntry;
  expect(told([...entries.slice(0, 3), last])).toMatchObject({ ...acted, status: 'done', takenBack: { error } });
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

test('a trend has what was counted later, as the report has', async () => {
  const { state, run } = await writeRun();
  const lost = { counted: 1_051, bytes: 6_000, ms: 700, exact: true, stillGrowing: false };
  await putRecount(state, { run, atMs: startMs, by: 'ann', topics: { events: lost }, uncounted: [] });
  const { records, later } = await gatherTrend(state);
  const about = { madeAtMs: startMs, version: '0.1.0', objectives: { rtoMs: 1, rpoMs: 1 } };
  expect(trendOf(records, about, later).runs).toMatchObject([{ lostRecords: 1_051, rpoMs: 700 }]);
  expect(trendOf(records, about, later).runs[0]?.verdict).toContain('1,051 records were lost');
  expect((await modelOf(state, run)).rpo?.records).toBe(1_051);
});

test('for the trend of a long history no more is asked at once than for that of a short one', async () => {
  const state = memoryObjectStore('state');
  for (let n = 0; n < 30; n++) await writeRun({ state, steps: 1, atMs: startMs + n * 86_400_000 });
  let [now, most] = [0, 0];
  const counted = {
    ...state,
    get: async (...args: Parameters<typeof state.get>) => {
      // Of the journals none is counted: they are read a few at a time by themselves.
      if (!/^re(counts|scued)\//.test(args[0])) return state.get(...args);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      return state.get(...args).finally(() => now--);
    },
  };
  expect((await gatherTrend(counted)).later.size).toBe(30);
  expect(most).toBe(24);
});

test('whom a step of a drill waited for is what the drill said when it began', async () => {
  const { state, run } = await writeRun({ runbook: 'drill', report: drillReport('x', startMs) });
  const { steps } = await modelOf(state, run);
  expect(steps[0]).toMatchObject({ waitedMs: 1_000, waitsFor: 'Flink of the drill' });
  expect(steps[1]?.waitsFor).toBeUndefined();
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
