import { expect, test } from 'vitest';
import { renderAutomatic, standingLines } from '../../../cli/render-automatic.ts';

const atMs = Date.UTC(2026, 10, 21, 3, 0, 0);

test('shows verdicts with their evidence, the decision with its reasons, and what was decided before', () => {
  const reasons = [{ code: 'HoldDown', message: 'PrimaryDead must hold for 8 s without a break; it does for 3 s' }];
  const text = renderAutomatic({
    mode: 'automatic',
    observers: 3,
    fresh: true,
    standing: {
      atMs,
      by: 'argus automatic on b1',
      mode: 'automatic',
      primary: 'blue',
      standby: 'green',
      verdicts: [
        {
          code: 'PrimaryDead',
          severity: 'critical',
          sinceMs: atMs,
          sentence: 'nothing in blue gives a good answer',
          evidence: ['far: kafka in blue failed for 4 s: refused'],
        },
        {
          code: 'MirrorStalled',
          subject: 'blue',
          severity: 'warning',
          sinceMs: atMs,
          sentence: 'it stands',
          evidence: [],
          partOf: 'PrimaryDead',
        },
      ],
      decision: { kind: 'wait', sentence: 'nothing in blue gives a good answer', reasons, sinceMs: atMs },
    },
    decisions: [{ atMs, by: 'b1', kind: 'wait', sentence: 'so it is', reasons }],
    nowMs: atMs + 2_000,
  });
  expect(text.split('\n')).toEqual([
    'mode automatic, 3 observers configured',
    'told by argus automatic on b1 2 s ago',
    '',
    'PrimaryDead, critical, since 2026-11-21T03:00:00Z: nothing in blue gives a good answer',
    '  - far: kafka in blue failed for 4 s: refused',
    'MirrorStalled blue, warning, since 2026-11-21T03:00:00Z (goes with PrimaryDead): it stands',
    '',
    'decision: wait since 2026-11-21T03:00:00Z: nothing in blue gives a good answer',
    '  - HoldDown: PrimaryDead must hold for 8 s without a break; it does for 3 s',
    '',
    'decided before, the newest first:',
    '  2026-11-21T03:00:00Z wait (HoldDown): so it is',
  ]);
});

test('says that nobody tells', () => {
  const common = { mode: 'manual', observers: 1, fresh: false, decisions: [], nowMs: atMs };
  expect(renderAutomatic({ ...common, standing: undefined })).toMatch(/no daemon has told yet/);
});

test('argus status names verdicts and decision, and is silent where nobody tells', () => {
  expect(standingLines(undefined)).toEqual([]);
  const decision = { kind: 'wait', sentence: '', reasons: [{ code: 'HoldDown', message: '' }], sinceMs: atMs };
  const verdict = { severity: 'info' as const, sinceMs: atMs, sentence: '', evidence: [] };
  const verdicts = [
    { ...verdict, code: 'PrimaryDead' },
    { ...verdict, code: 'ObserverCutOff', subject: 'far' },
  ];
  const lines = standingLines({
    atMs,
    by: '',
    mode: 'automatic',
    primary: 'blue',
    standby: 'green',
    verdicts,
    decision,
  });
  expect(lines).toEqual(['', 'verdicts   PrimaryDead, ObserverCutOff far', 'automatic  automatic: wait (HoldDown)']);
});
