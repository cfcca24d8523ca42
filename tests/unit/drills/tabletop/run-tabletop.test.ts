import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { runTabletop } from '../../../../drills/tabletop/run-tabletop.ts';
import type { TabletopCheck, TabletopFinding } from '../../../../drills/tabletop/steps.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { drillState } from '../../../../state/drills.ts';
import { readRun } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const run = '20261201T080000Z-drill-00aa';
const finds = (id: string, ...findings: readonly TabletopFinding[]): TabletopCheck => ({
  id,
  title: `look at ${id}`,
  manual: ['argus status'],
  look: async () => ({ findings, evidence: { looked: true } }),
});
const damaged = { severity: 'blocker', code: 'FileMissing', message: 'state/7 is not there', job: 'counts' } as const;
const late = { severity: 'warning', code: 'MirrorLagOverRpo', message: 'late' } as const;

async function carriedOut(checks: readonly TabletopCheck[]) {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const result = await runTabletop({
    ...{ state, clock, run, checks, by: 'asha@host', occasion: { reason: 'Tuesday' } },
    roles: { primary: 'blue', standby: 'green', epoch: 3 },
    trigger: { kind: 'person' },
    signal: new AbortController().signal,
  });
  return { ...result, state, clock, record: foldRun(await readRun(drillState(state), run)) };
}

test('a tabletop without blockers passes, with a step of the journal for each check', async () => {
  const { report, record, state } = await carriedOut([finds('standby'), finds('mirror', late)]);
  expect(report).toMatchObject({ kind: 'tabletop', outcome: 'passed', causes: [], from: 'blue', to: 'green' });
  expect(report.verdict).toBe('a failover from blue to green would not be refused; 1 warning');
  expect(record).toMatchObject({ runbook: 'drill', status: 'done', details: { kind: 'tabletop', reason: 'Tuesday' } });
  expect(record?.steps.map((s) => `${s.id} ${s.status}`)).toEqual(['standby done', 'mirror done', 'judge done']);
  expect(record?.report).toEqual(JSON.parse(JSON.stringify(report)));
  // Production's lease and journal are not touched.
  const { objects } = await state.list('');
  expect(objects.every(({ key }) => key.startsWith('drills/'))).toBe(true);
});

test('a blocker makes it fail, by its name; the other checks are made all the same', async () => {
  const { report, record } = await carriedOut([finds('replica', damaged), finds('plan', damaged), finds('names')]);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'FileMissing', job: 'counts' }] });
  expect(report.causes).toHaveLength(1);
  expect(report.verdict).toContain('state/7 is not there');
  expect(record?.steps.at(-1)).toMatchObject({ id: 'judge', status: 'failed', error: { code: 'FileMissing' } });
});

test('what can not be looked at is a blocker too', async () => {
  const dark: TabletopCheck = {
    ...finds('standby'),
    look: async () => {
      throw new ArgusError('FlinkUnreachable', 'no answer');
    },
  };
  const { report, record } = await carriedOut([dark, finds('names')]);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'FlinkUnreachable' }] });
  expect(record?.steps.map((s) => `${s.id} ${s.status}`)).toEqual(['standby failed', 'names done', 'judge failed']);
});

test('what takes too long is a blocker too, and cut off', async () => {
  const hangs: TabletopCheck = { ...finds('standby'), look: () => new Promise(() => undefined) };
  const { report, record } = await carriedOut([hangs, finds('names')]);
  expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'StepTimedOut' }] });
  expect(report.verdict).toContain('could not look at standby: not done within 30 s');
  expect(record?.steps.map((s) => `${s.id} ${s.status}`)).toEqual(['standby failed', 'names done', 'judge failed']);
});

test('beside a failover it looks on; beside another drill it is refused', async () => {
  const { state, clock } = await carriedOut([finds('standby')]);
  const held = { holder: 'ops', purpose: 'failover', ttlMs: 60_000, waitMs: 0 };
  await acquireLease(state, held, clock);
  const again = (id: string) =>
    runTabletop({
      ...{ state, clock, run: id, checks: [finds('standby')], by: 'asha@host', occasion: {} },
      roles: { primary: 'blue', standby: 'green', epoch: 3 },
      trigger: { kind: 'person' },
      signal: new AbortController().signal,
    });
  expect((await again('20261201T080000Z-drill-00ab')).report.outcome).toBe('passed');
  await acquireLease(drillState(state), { ...held, purpose: 'drill' }, clock);
  await expect(again('20261201T080000Z-drill-00ac')).rejects.toMatchObject({ code: 'LeaseHeld', exitCode: 3 });
});
