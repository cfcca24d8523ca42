import { expect, test } from 'vitest';
import { type AutomaticView, decideAutomatic, sameDecision, type WaitCode } from '../../../health/decide-automatic.ts';
import type { Verdict } from '../../../health/verdict.ts';
import { type VerdictCode, verdictTable } from '../../../health/verdict-table.ts';
import { settingsOf } from './simulated-watch.ts';

const verdict = (code: VerdictCode, heldMs = 60_000): Verdict => ({
  code,
  severity: verdictTable[code].severity,
  sinceMs: 0,
  holds: true,
  heldMs,
  sentence: `${code} it is`,
  evidence: [],
});

const hour = 3_600_000;

const view = (changes: Partial<AutomaticView> = {}): AutomaticView => ({
  settings: settingsOf({ acceptUnreachable: true }),
  verdicts: [verdict('PrimaryDead')],
  roles: { epoch: 3, primary: 'blue', standby: 'green', replication: 'active', atMs: 10 * hour },
  nowMs: 20 * hour,
  leads: true,
  statePlace: 'outside',
  guarded: false,
  readiness: { status: 'green', blockers: [] },
  rpoMs: 60_000,
  lossMs: 2_000,
  ...changes,
});

test('acts when everything that is asked is so', () => {
  expect(decideAutomatic(view())).toMatchObject({ kind: 'act', from: 'blue', to: 'green', acceptUnfenced: true });
});

const cases: readonly [WaitCode, Partial<AutomaticView>][] = [
  ['ModeManual', { settings: settingsOf({ mode: 'manual' }) }],
  ['HoldDown', { verdicts: [verdict('PrimaryDead', 7_999)] }],
  ['HoldDown', { verdicts: [verdict('PrimaryUnreachable', 29_999)] }],
  ['UnreachableNotAccepted', { settings: settingsOf(), verdicts: [verdict('PrimaryUnreachable')] }],
  ['Unfenced', { settings: settingsOf({ acceptUnfenced: false }) }],
  ['StatePlace', { statePlace: 'inside' }],
  ['StatePlace', { statePlace: 'untold' }],
  ['StateUnreadable', { roles: undefined }],
  ['ObserversTooFew', { settings: { ...settingsOf(), observers: [] } }],
  ['NotLeading', { leads: false }],
  ['ReplicationSuspended', { roles: { ...roles(), replication: 'suspended' } }],
  ['NotReady', { readiness: { status: 'red', blockers: ['no checkpoint'] } }],
  ['NotReady', { readiness: { status: 'yellow', blockers: [] } }],
  ['ReadinessUnknown', { readiness: undefined }],
  ['LossAboveBudget', { lossMs: 60_001 }],
  ['LossUnknown', { lossMs: 'unknown' }],
  ['AntiFlap', { roles: { ...roles(), atMs: 19.5 * hour } }],
  ['AntiFlap', { lastRun: lastRun(19.5) }],
  // A clock that was set back.
  ['AntiFlap', { lastRun: lastRun(21) }],
  ['AntiFlap', { lastRun: lastRun(19.5), acknowledged: { run: 'run-8', rolesEpoch: 3 } }],
  ['AntiFlap', { lastRun: lastRun(19.5), acknowledged: { run: 'run-9', rolesEpoch: 2 } }],
  ['AntiFlap', { lastRun: lastRun(19.5), acknowledged: {} }],
  ['SomebodyActs', { acting: 'asha@laptop' }],
  ['StandbyBad', { verdicts: [verdict('PrimaryDead'), verdict('StandbyDead')] }],
  ['StandbyBad', { verdicts: [verdict('SplitBrainRisk'), verdict('PrimaryDead')] }],
  ['PlanBlocked', { planBlocked: 'no recovery point' }],
];

function lastRun(hours: number) {
  return { run: 'run-9', atMs: hours * hour };
}

function roles() {
  return { epoch: 3, primary: 'blue', standby: 'green', replication: 'active' as const, atMs: 10 * hour };
}

test.each(cases)('%s: waits, and says why (%#)', (code, changes) => {
  const decision = decideAutomatic(view(changes));
  expect(decision.kind).toBe('wait');
  expect(decision.kind === 'wait' && decision.reasons.map((r) => r.code)).toEqual([code]);
});

test('an anti-flap period ends when it is acknowledged, and by itself', () => {
  const acknowledged = { run: 'run-9', rolesEpoch: 3 };
  expect(decideAutomatic(view({ lastRun: lastRun(19.5), acknowledged })).kind).toBe('act');
  const changed = { ...roles(), atMs: 19.5 * hour };
  expect(decideAutomatic(view({ roles: changed, acknowledged: { rolesEpoch: 3 } })).kind).toBe('act');
  expect(decideAutomatic(view({ lastRun: lastRun(18.9) })).kind).toBe('act');
});

test('the roles of the first start are no change of roles', () => {
  expect(decideAutomatic(view({ roles: { ...roles(), epoch: 1, atMs: 19.9 * hour } })).kind).toBe('act');
});

test('only verdicts of the table that allow it are acted on', () => {
  for (const code of Object.keys(verdictTable) as VerdictCode[]) {
    const { kind } = decideAutomatic(view({ verdicts: [verdict(code)] }));
    expect([code, kind]).toEqual([code, verdictTable[code].act === 'failover' ? 'act' : 'idle']);
  }
});

test('a verdict that no more holds is not acted on', () => {
  expect(decideAutomatic(view({ verdicts: [{ ...verdict('PrimaryDead'), holds: false }] })).kind).toBe('idle');
});

test('advises where a person is to be asked, leading or not', () => {
  const settings = settingsOf({ mode: 'advise' });
  expect(decideAutomatic(view({ settings, leads: false })).kind).toBe('advise');
});

const cutOff = { run: 'run-1', from: 'blue', to: 'green', pastReturn: false };

test('goes on with its own run that was cut off past its point of no return, whatever is seen by then', () => {
  const past = { ...cutOff, pastReturn: true };
  const cut = view({ verdicts: [verdict('StandbyDead')], cutOff: past, lastRun: lastRun(19.9) });
  expect(decideAutomatic(cut)).toMatchObject({ kind: 'act', resumes: 'run-1' });
  // It had written the roles.
  const turned = { ...roles(), primary: 'green', standby: 'blue', replication: 'suspended' as const };
  expect(decideAutomatic({ ...cut, roles: turned })).toMatchObject({ kind: 'act', from: 'blue', to: 'green' });
  expect(decideAutomatic({ ...cut, leads: false })).toMatchObject({ kind: 'wait', reasons: [{ code: 'NotLeading' }] });
  expect(decideAutomatic({ ...cut, settings: settingsOf({ mode: 'manual' }) }).kind).toBe('idle');
});

test('before that it goes on only where it would begin anew, but for its own beginning', () => {
  const cut = view({ cutOff, lastRun: lastRun(19.9) });
  expect(decideAutomatic(cut)).toMatchObject({ kind: 'act', verdict: 'PrimaryDead', resumes: 'run-1' });
  const codes = (changes: Partial<AutomaticView>) => {
    const decision = decideAutomatic({ ...cut, ...changes });
    return decision.kind === 'wait' ? decision.reasons.map((r) => r.code) : decision.kind;
  };
  expect(codes({ verdicts: [verdict('AllWell')] })).toEqual(['RunCutOff']);
  expect(codes({ verdicts: [{ ...verdict('PrimaryDead'), holds: false }] })).toEqual(['RunCutOff']);
  expect(codes({ verdicts: [verdict('PrimaryDead', 7_999)] })).toEqual(['HoldDown']);
  expect(codes({ readiness: { status: 'red', blockers: [] } })).toEqual(['NotReady']);
  expect(codes({ leads: false })).toEqual(['NotLeading']);
  // The roles were changed since.
  expect(codes({ cutOff: { ...cutOff, from: 'green' } })).toEqual(['AntiFlap']);
});

test('a run that took all back but the jobs is told with what ends it, and gone on with by none', () => {
  const messageOf = (ended?: 'with-remains' | 'but-jobs') => {
    const cut = { ...cutOff, ...(ended === undefined ? {} : { ended }) };
    const decision = decideAutomatic(view({ cutOff: cut, verdicts: [verdict('AllWell')], lastRun: lastRun(19.9) }));
    return decision.kind === 'wait' ? decision.reasons.map((r) => r.message).join() : '';
  };
  expect(messageOf()).toMatch(/runs abort run-1/);
  expect(messageOf('with-remains')).toMatch(/^(?!.*runs abort).*argus failover/);
  expect(messageOf('but-jobs')).toMatch(/jobs may be stopped: .* `argus automatic ack`/);
  const dead = view({ cutOff: { ...cutOff, ended: 'but-jobs' }, lastRun: lastRun(19.9) });
  expect(decideAutomatic(dead)).toMatchObject({ kind: 'wait', reasons: [{ code: 'AntiFlap' }] });
  expect(decideAutomatic({ ...dead, lastRun: undefined })).not.toHaveProperty('resumes');
});

test('passing time alone is no other decision', () => {
  const at = (heldMs: number) => decideAutomatic(view({ verdicts: [verdict('PrimaryDead', heldMs)] }));
  expect(sameDecision(at(1_000), at(5_000))).toBe(true);
  expect(sameDecision(at(5_000), at(9_000))).toBe(false);
});
