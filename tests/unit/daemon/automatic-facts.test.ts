import { expect, test } from 'vitest';
import { acknowledgeAutomatic } from '../../../daemon/acknowledge-automatic.ts';
import { automaticFacts, leftBehind, lossOf, mayBeCutOff } from '../../../daemon/automatic-facts.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { openJournal } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { writeRoles } from '../../../state/roles.ts';
import type { Sighting } from '../../../state/sightings.ts';
import { virtualClock } from '../state/virtual-clock.ts';

const call = { signal: new AbortController().signal };

const sighting = (logEnd: bigint, mirrored: bigint, lagMs: number | null): Sighting => ({
  region: 'blue',
  atMs: 100_000,
  topics: {
    events: {
      recordsPerSecond: 0,
      partitions: [
        {
          partition: 0,
          logStartOffset: 0n,
          logEndOffset: logEnd,
          mirroredEndOffset: mirrored,
          newestTimestampMs: lagMs === null ? null : 100_000,
          mirroredTimestampMs: lagMs === null ? null : 100_000 - lagMs,
        },
      ],
    },
  },
});

test('what would be lost is as old as the mirror was behind; unseen it is unknown, and nothing where nothing is missing', () => {
  expect(lossOf(undefined, 100_000)).toBe('unknown');
  expect(lossOf(sighting(10n, 10n, 0), 100_000)).toBe(0);
  expect(lossOf(sighting(20n, 10n, 4_000), 100_000)).toBeGreaterThanOrEqual(4_000);
});

test('only an automatic failover without an end, that nobody stopped, is gone on with', () => {
  const run = { by: 'argus automatic on b1 (pid 7)', runbook: 'failover', status: 'running' } as const;
  expect(mayBeCutOff(run)).toBe(true);
  expect(mayBeCutOff({ ...run, status: 'interrupted' })).toBe(true);
  expect(mayBeCutOff({ ...run, status: 'done' })).toBe(false);
  expect(mayBeCutOff({ ...run, status: 'failed' })).toBe(false);
  expect(mayBeCutOff({ ...run, by: 'asha@laptop' })).toBe(false);
  expect(mayBeCutOff({ ...run, stoppedBy: 'asha' })).toBe(false);
});

test('an interrupted run that took all back left nothing behind, but for the jobs that it stopped', () => {
  const step = (id: string, status: 'done' | 'compensated' | 'already') =>
    ({ id, status, startedAtMs: 1, ms: 1, evidence: null }) as const;
  const interrupted = { status: 'interrupted', steps: [step('freeze-mirror', 'compensated')] } as const;
  expect(leftBehind([interrupted])).toBeUndefined();
  expect(leftBehind([{ ...interrupted, status: 'running' }])).toEqual({ pastReturn: false });
  const remains = { pastReturn: false, ended: 'with-remains' };
  expect(leftBehind([{ ...interrupted, notTakenBack: ['seal-mirror'] }])).toEqual(remains);
  const jobs = { ...interrupted, steps: [step('stop-primary-jobs', 'done'), ...interrupted.steps] };
  expect(leftBehind([jobs])).toEqual({ pastReturn: false, ended: 'but-jobs' });
  // One that went on with another, and was interrupted before it got there.
  const early = { status: 'interrupted', steps: [step('stop-primary-jobs', 'already')] } as const;
  expect(leftBehind([early])).toBeUndefined();
  const dead = { status: 'running', steps: [step('freeze-mirror', 'done')] } as const;
  expect(leftBehind([early, dead])).toEqual(remains);
  expect(leftBehind([early, { ...dead, pastReturn: true }])).toEqual({ ...remains, pastReturn: true });
  expect(leftBehind([interrupted, dead])).toBeUndefined();
  expect(leftBehind([interrupted, { ...dead, steps: [step('stop-primary-jobs', 'done')] }])).toMatchObject({
    ended: 'but-jobs',
  });
});

test('jobs that an interrupted run left stopped are told until somebody acknowledges it', async () => {
  const state = memoryObjectStore('state');
  const clock = virtualClock();
  const journal = openJournal(state, { run: '20270115T080000Z-failover-0000', epoch: 1 }, clock);
  const by = 'argus automatic on b1 (pid 7)';
  await journal.append({ kind: 'run-started', runbook: 'failover', by, details: { from: 'blue', to: 'green' } });
  await journal.append({ kind: 'step-started', step: 'stop-primary-jobs' });
  await journal.append({ kind: 'run-finished', outcome: 'interrupted' });
  const read = () => automaticFacts(state).read('blue', { nowMs: 50, monotonicMs: 0 }, call);
  expect((await read()).cutOff).toMatchObject({ ended: 'but-jobs' });
  await acknowledgeAutomatic(state, { atMs: 42, by: 'asha' }, call);
  expect((await read()).cutOff).toBeUndefined();
});

test('a run that was cut off is told with its direction, and whether one that it went on with can still be taken back', async () => {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const by = 'argus automatic on b1 (pid 7)';
  const begin = async (n: number, details: Readonly<Record<string, string>>) => {
    const run = `20270115T08000${n}Z-failover-0000`;
    const journal = openJournal(state, { run, epoch: n }, clock);
    await journal.append({
      kind: 'run-started',
      runbook: 'failover',
      by,
      details: { from: 'blue', to: 'green', ...details },
    });
    return { run, journal };
  };
  const read = () => automaticFacts(state).read('blue', { nowMs: clock.now(), monotonicMs: 0 }, call);
  const first = await begin(1, {});
  expect((await read()).cutOff).toEqual({ run: first.run, from: 'blue', to: 'green', pastReturn: false });
  await first.journal.append({ kind: 'step-started', step: 'promote', pastReturn: true });
  const second = await begin(2, { resumes: first.run });
  expect((await read()).cutOff).toEqual({ run: second.run, from: 'blue', to: 'green', pastReturn: true });
});

test('whoever holds the lease is at work until it was silent for its whole time', async () => {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const read = () => facts.read('blue', { nowMs: clock.now(), monotonicMs: clock.monotonic() }, call);
  const facts = automaticFacts(state);
  expect((await read()).acting).toBeUndefined();
  const request = { holder: 'asha', purpose: 'failover', ttlMs: 15_000, waitMs: 0 };
  await acquireLease(state, request, clock);
  expect((await read()).acting).toBe('asha (failover)');
  clock.jump(14_000);
  expect((await read()).acting).toBe('asha (failover)');
  clock.jump(2_000);
  expect((await read()).acting).toBeUndefined();
});

test('an acknowledgement names the run and the roles that it is about, whatever its clock says', async () => {
  const state = memoryObjectStore('state');
  const read = () => automaticFacts(state).read('blue', { nowMs: 50, monotonicMs: 0 }, call);
  const word = { atMs: 42, by: 'asha' };
  expect(await acknowledgeAutomatic(state, word, call)).toEqual(word);
  const run = '20270115T080000Z-switchover-0000';
  const clock = virtualClock();
  const journal = openJournal(state, { run, epoch: 1 }, clock);
  await journal.append({ kind: 'run-started', runbook: 'switchover', by: 'asha', details: {} });
  await writeRoles(state, { epoch: 1, primary: 'blue', standby: 'green', replication: 'active', atMs: 1, by: 'asha' });
  expect(await read()).toMatchObject({ acknowledged: word, lossMs: 'unknown' });
  await acknowledgeAutomatic(state, word, call);
  const { acknowledged, lastRun } = await read();
  expect(acknowledged).toEqual({ ...word, run, rolesEpoch: 1 });
  expect(lastRun).toEqual({ run, atMs: clock.now() });
});

test('the journal of a run that has ended is read once, that of one without an end each time', async () => {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const journal = openJournal(state, { run: '20270115T080000Z-failover-0000', epoch: 1 }, clock);
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'asha', details: {} });
  const facts = automaticFacts(state);
  const readsOf = async () => {
    const before = state.calls.length;
    const { lastRun } = await facts.read('blue', { nowMs: clock.now(), monotonicMs: 0 }, call);
    return [lastRun?.run, state.calls.slice(before).filter((c) => c.startsWith('get journal/')).length];
  };
  expect(await readsOf()).toEqual(['20270115T080000Z-failover-0000', 1]);
  await journal.append({ kind: 'run-finished', outcome: 'done' });
  expect(await readsOf()).toEqual(['20270115T080000Z-failover-0000', 2]);
  expect(await readsOf()).toEqual(['20270115T080000Z-failover-0000', 0]);
  const next = openJournal(state, { run: '20270115T080001Z-failback-0000', epoch: 2 }, clock);
  await next.append({ kind: 'run-started', runbook: 'failback', by: 'asha', details: {} });
  expect(await readsOf()).toEqual(['20270115T080001Z-failback-0000', 1]);
});
