import { renderToString } from 'ink';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';
import { Lines } from '../../../../cli/tui/drawing.ts';
import type { Size } from '../../../../cli/tui/line.ts';
import type { RunProgress } from '../../../../cli/tui/run-progress.ts';
import { runView } from '../../../../cli/tui/run-view.ts';
import { beganAtMs, ended, sampleRun, started } from './sample-run.ts';

const small: Size = { columns: 80, rows: 24 };
const large: Size = { columns: 200, rows: 50 };

/** As Ink draws it. */
function drawn(run: RunProgress, afterMs: number, size: Size): string {
  const lines = runView(run, beganAtMs + afterMs, size, 'Ctrl-C asks it to stop');
  const text = renderToString(createElement(Lines, { lines, colours: false }), { columns: size.columns });
  expect(text.split('\n').length).toBeLessThanOrEqual(size.rows);
  for (const row of text.split('\n')) expect(row.length).toBeLessThanOrEqual(size.columns);
  return text;
}

const atWork = [
  ended('stop-jobs', 1_000, 'stopped; jobs counts'),
  started('freeze-mirror', 1_000),
  { kind: 'waits', step: 'freeze-mirror', text: 'the mirror drains: 40 records', atMs: beganAtMs + 1_500 },
] as const;

describe.each([
  ['80×24', small],
  ['200×50', large],
])('a run on %s', (_, size) => {
  it('shows the step at work with its clock, what it waits for, what was seen and what comes next', () => {
    const text = drawn(sampleRun(atWork), 3_000, size);
    expect(text).toMatch(/^ failover mumbai → singapore +20261122T032904Z-failover-fbb8/);
    expect(text).toMatch(/RTO 5\.0 s of 15 min ░+ +since the outage/);
    expect(text).toMatch(/about 18\.0 s to go/);
    expect(text).toMatch(/─ steps 1 of 6 ─/);
    expect(text).toMatch(/✓ Stop counts on mumbai +1\.0 s +~4\.0 s/);
    expect(text).toMatch(/▸ Stop the mirror to singapore.* 2\.0 s +~4\.0 s/);
    expect(text).toMatch(/waits: the mirror drains: 40 records/);
    expect(text).toMatch(/stop-jobs: stopped; jobs counts/);
    expect(text).toMatch(/03:29:05 {2}✓ Stop counts on mumbai \(done, 1\.0 s\)/);
    expect(text).toMatch(/next: Choose the newest usable checkpoint/);
  });

  it('draws the point of no return before its step, and says when it is passed', () => {
    const before = drawn(sampleRun(atWork), 3_000, size);
    expect(before).toMatch(/── from here on there is no way back ─+[^\n]*\n[^\n]*○ Start counts on singapore/);
    expect(before).toMatch(/what is done can still be taken back/);
    expect(drawn(sampleRun([...atWork, started('start-jobs', 2_000)]), 3_000, size)).toMatch(
      /past the point of no return/,
    );
  });

  it('shows why a step failed, and how the run ended', () => {
    const run = sampleRun([
      ...atWork,
      ended('freeze-mirror', 9_000, 'the mirror did not stop within 8 s', 'failed'),
      { kind: 'run-ended', outcome: 'failed', atMs: beganAtMs + 10_000 },
    ]);
    const text = drawn(run, 60_000, size);
    expect(text).toMatch(/✗ Stop the mirror/);
    expect(text).toMatch(/the mirror did not stop within 8 s/);
    // The clock stands.
    expect(text).toMatch(/RTO 12\.0 s of 15 min/);
    expect(text).toMatch(/failed *\n/);
  });

  it('keeps the step at work in sight among ninety', () => {
    const run = sampleRun([...atWork, started('more-30', 2_000)], 84);
    const text = drawn(
      { ...run, steps: run.steps.map((s) => (s.id === 'freeze-mirror' ? { ...s, status: 'done' } : s)) },
      3_000,
      size,
    );
    expect(text).toMatch(/▸ Do one more thing, number 30/);
    expect(text).toMatch(/↑ \d+ steps before/);
    expect(text).toMatch(/↓ \d+ steps after/);
  });
});

describe('what a run is shown by', () => {
  it('tells that a step takes longer than it did before', () => {
    const late = runView(sampleRun(atWork.slice(0, 2)), beganAtMs + 20_000, small).flat();
    expect(late.map((piece) => piece.text).join('')).toMatch(/it takes longer than it did before/);
  });

  it('puts in a step that the plan does not have, where the run is', () => {
    const run = sampleRun([
      ...atWork.slice(0, 1),
      { kind: 'started', step: 'hook:page', title: 'Call page', atMs: beganAtMs },
    ]);
    expect(run.steps.map((s) => s.id).slice(0, 3)).toEqual(['stop-jobs', 'hook:page', 'freeze-mirror']);
  });

  it('says what is taken back', () => {
    const run = sampleRun([...atWork, ended('stop-jobs', 2_000, '', 'taken-back')]);
    expect(
      runView(run, beganAtMs, small)
        .flat()
        .map((p) => p.text)
        .join(''),
    ).toMatch(/↶ Stop counts on mumbai/);
  });

  it('fits into any size', () => {
    for (const columns of [1, 20, 79, 80, 131, 132, 300])
      for (const rows of [1, 5, 10, 24, 90])
        expect(runView(sampleRun(atWork), beganAtMs, { columns, rows }).length).toBeLessThanOrEqual(rows);
  });
});
