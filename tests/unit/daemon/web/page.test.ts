import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoardFacts } from '../../../../daemon/web/board.ts';
import { lagHistory } from '../../../../daemon/web/lag-history.ts';
import { renderPage } from '../../../../daemon/web/page.ts';
import { runView } from '../../../../daemon/web/run-view.ts';
import { headline } from '../../../../daemon/web/summary.ts';
import { escapeHtml, html } from '../../../../domain/html.ts';
import { assembleStatus } from '../../../../health/status.ts';
import type { RunRecord } from '../../../../state/run-record.ts';
import { darkRegion, facts } from '../../health/status-sample.ts';

const nowMs = 100_000;
const status = assembleStatus(facts());
const board = (changes: Partial<BoardFacts> = {}): BoardFacts => ({
  status,
  lag: [],
  runs: [],
  standing: {},
  ...changes,
});
const record = (changes: Partial<RunRecord> = {}): RunRecord => ({
  run: '20261121T230102Z-failover-ab12',
  runbook: 'failover',
  by: 'ops@laptop',
  epoch: 3,
  status: 'running',
  startedAtMs: 90_000,
  lastAtMs: 95_000,
  details: {
    reason: 'dark',
    steps: [
      { id: 'a', title: 'Do A' },
      { id: 'b', title: 'Do B' },
    ],
  },
  steps: [{ id: 'a', startedAtMs: 91_000, status: 'done', ms: 1_000, evidence: null }],
  ...changes,
});
const said = (changes: Partial<BoardFacts>) => headline(board(changes), nowMs).say;

describe('the first sentence', () => {
  it.each<[string, string, Partial<BoardFacts>]>([
    ['all is well', 'mumbai serves, singapore is ready to take over', {}],
    ['a run is under way', 'A failover is under way', { runs: [runView(record(), true)] }],
    ['the newest run was left alone', 'A failover was interrupted', { runs: [runView(record(), false)] }],
    [
      'the primary is dark',
      'mumbai is the primary, and not well',
      { status: assembleStatus(facts({ regions: [darkRegion('mumbai'), darkRegion('singapore')] })) },
    ],
    [
      'it was judged dead',
      'Primary dead',
      { standing: { verdicts: [{ code: 'PrimaryDead', severity: 'critical', sentence: 'x', sinceMs: 1 }] } },
    ],
    [
      'the standby could not take over',
      'mumbai serves, but singapore could not take over',
      { status: { ...status, blockers: [{ code: 'NoSlots', sentence: 'no slots are free' }] } },
    ],
    [
      'there is no second copy',
      'mumbai serves alone',
      { status: { ...status, roles: { ...status.roles, replication: 'suspended' } } },
    ],
    ['nobody has looked for long', 'Nobody has looked lately', { status: { ...status, atMs: nowMs - 61_000 } }],
  ])('when %s: %s', (_, sentence, changes) => expect(said(changes)).toBe(sentence));
});

it('a page tells no recovery point while nothing is mirrored', () => {
  const roles = { ...status.roles, replication: 'suspended' } as const;
  const alone = { ...status, roles, recoveryPoints: [] };
  const page = renderPage(board({ status: alone }), { nowMs, objectiveRpoMs: 60_000 });
  expect(page).toContain('<dd class="words">nothing is mirrored</dd>');
  expect(page).not.toContain('none usable');
});

describe('a run on the page', () => {
  it('has the planned steps that it has not begun, as long as it is under way', () => {
    expect(runView(record(), true).steps.map((s) => [s.title, s.status])).toEqual([
      ['Do A', 'done'],
      ['Do B', 'waiting'],
    ]);
    expect(runView(record({ status: 'done' }), false).steps.map((s) => s.title)).toEqual(['Do A']);
  });
});

describe('whatever a text says', () => {
  it('stays text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const rendered = html`<p title="${text}">${text}</p>`.html;
        expect(rendered.slice(10, -4)).not.toMatch(/<(?!\/)|">.*">/s);
        expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      }),
    );
  });
  it('is no markup anywhere on the page', () => {
    const evil = `<script>hurt()</script>"'&`;
    const sentence = evil;
    const page = renderPage(
      board({
        status: {
          ...status,
          roles: { ...status.roles, primary: evil, standby: evil },
          regions: [
            {
              name: evil,
              role: 'primary',
              components: [{ component: evil, status: 'ok', latencyMs: 1, detail: evil }],
            },
          ],
          names: [{ name: evil, resolver: evil, status: 'ok', addresses: [evil], region: evil, detail: evil }],
          mirror: [{ topic: evil, basis: 'live' }],
          recoveryPoints: [{ job: evil, detail: evil, refusedCount: 1 }],
          blockers: [{ code: evil, sentence }],
          warnings: [{ code: evil, sentence }],
        },
        lag: [{ topic: evil, points: [{ atMs: nowMs, lagMs: 1 }] }],
        runs: [
          runView(
            record({
              by: evil,
              details: { reason: evil, steps: [{ id: evil, title: evil }] },
              run: evil,
              runbook: evil,
            }),
            true,
          ),
          runView(record({ run: evil, hint: evil }), false),
        ],
        standing: {
          readiness: { atMs: 1, colour: 'red', sentence, blockers: [] },
          verdicts: [{ code: evil, subject: evil, severity: 'critical', sentence, sinceMs: 1 }],
          decision: { mode: evil, kind: 'wait', sentence, reasons: [], atMs: 1 },
        },
      }),
      { nowMs, objectiveRpoMs: 60_000 },
    );
    expect(page.match(/<script[^>]*>/g)).toEqual(['<script src="page.js" defer>']);
    expect(page).not.toContain(`"'&`);
    expect(page).not.toMatch(/ (style|on\w+)=|https?:\/\//);
  });
});

describe('the lag of the last hour', () => {
  it('is bounded in samples and in topics, and a topic that is gone gives its place away', () => {
    const history = lagHistory({ periodMs: 1_000, keep: 10, topics: 2 });
    for (let i = 0; i < 100; i++) history.note(i * 1_000, { a: i, b: 2 * i, c: i });
    expect(history.series().map((s) => [s.topic, s.points.length])).toEqual([
      ['b', 10],
      ['a', 10],
    ]);
    for (let i = 100; i < 120; i++) history.note(i * 1_000, { b: 1, c: 5 });
    expect(history.series().map((s) => s.topic)).toEqual(['c', 'b']);
  });
  it('takes no sample before its time', () => {
    const history = lagHistory({ periodMs: 5_000 });
    expect([0, 4_999, 5_000].map((atMs) => history.note(atMs, { a: 1 }))).toEqual([true, false, true]);
  });
});
