import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { hasLeft, type Position, positionOf } from '../../../../drills/switchover/position.ts';
import { readBroken, readLeg } from '../../../../drills/switchover/read-legs.ts';
import { runSwitchoverDrill } from '../../../../drills/switchover/run-switchover-drill.ts';
import type { SwitchoverDrillContext } from '../../../../drills/switchover/steps.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { drillState } from '../../../../state/drills.ts';
import { openJournal, readRun } from '../../../../state/journal.ts';
import { readLease } from '../../../../state/lease.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

const begun = { rolesEpoch: 1, from: 'blue', to: 'green' };
const roles = { replication: 'active', atMs: 1, by: 'asha', run: '20261201T080000Z-switchover-0001' } as const;
const there = { ...roles, epoch: 2, primary: 'green', standby: 'blue' };
const resumes = { run: 'x' } as never;

test.each<[Position, Parameters<typeof positionOf>[1]]>([
  ['before', { roles: { ...roles, epoch: 1, primary: 'blue', standby: 'green' } }],
  ['going', { roles: { ...roles, epoch: 1, primary: 'blue', standby: 'green' }, resumes }],
  ['there', { roles: there }],
  ['returning', { roles: there, resumes }],
  ['home', { roles: { ...there, epoch: 3, primary: 'blue', standby: 'green' } }],
  ['elsewhere', { roles: { ...there, run: '20261201T080000Z-failover-0001' } }],
  ['elsewhere', { roles: { ...there, replication: 'suspended' } }],
  ['elsewhere', { roles: { ...there, epoch: 4 } }],
])('it is %s', (position, direction) => {
  expect(positionOf(begun, direction)).toBe(position);
});

test.each([
  ['there', true, false, 1e9, true],
  ['home', false, true, 60_000, true],
  ['home', false, true, 3_600_000, false],
  ['home', false, false, 60_000, false],
  ['home', true, true, 60_000, false],
  ['elsewhere', false, true, 60_000, false],
] as const)(
  'cut off and %s (ended: %s, by a person: %s, %d ms ago): gone on with: %s',
  (at, ended, byPerson, heardMs, left) => {
    expect(hasLeft(at, { ended }, { byPerson, heardMs })).toBe(left);
  },
);

/** A platform that is moved, whose switchovers fail or hang as told. */
function platform() {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const stop = new AbortController();
  const moves: string[] = [];
  let position: Position = 'before';
  let n = 0;
  const told: { fails?: 'there' | 'back'; dies?: 'there' | 'back'; unproven?: boolean } = {};

  async function switchOver(which: 'there' | 'back') {
    n += 1;
    const run = `20261201T08000${n}Z-switchover-000${n}`;
    const journal = openJournal(state, { run, epoch: n }, clock);
    const [from, to] = which === 'there' ? ['blue', 'green'] : ['green', 'blue'];
    const details = { from, to, rolesEpoch: which === 'there' ? 1 : 2 };
    await journal.append({ kind: 'run-started', runbook: 'switchover', by: 'asha', details });
    await clock.sleep(20_000);
    if (told.dies === which) {
      delete told.dies;
      position = which === 'there' ? 'going' : 'returning';
      stop.abort(new ArgusError('Interrupted', 'killed'));
      throw new ArgusError('Interrupted', 'killed');
    }
    if (told.fails === which) return { code: 'MirrorLagging', message: 'it lags' };
    const report = { from, to, rpo: { provenZero: told.unproven !== true }, producersBlockedMs: 3_000, rtoMs: 9_000 };
    await journal.append({ kind: 'run-finished', outcome: 'done', report });
    position = which === 'there' ? 'there' : 'home';
    return undefined;
  }

  const context: SwitchoverDrillContext = {
    begun,
    stayMs: 300_000,
    position: async () => position,
    leg: (rolesEpoch) => readLeg(state, rolesEpoch),
    async move(which) {
      moves.push(which);
      return switchOver(which);
    },
    waitsFor: async () => undefined,
  };
  let drills = 0;
  const drill = (signal = stop.signal) => {
    drills += 1;
    return runSwitchoverDrill({
      ...{ context, state, clock, signal },
      run: `20261201T09000${drills}Z-drill-000${drills}`,
      outsideWindow: false,
      by: 'asha@host',
      objectives: { rto: 900_000, rpo: 60_000 },
      trigger: { kind: 'person' },
      occasion: { reason: 'spring' },
    });
  };
  return { clock, state, told, moves, drill, at: () => position };
}

describe('a drill by switchover', () => {
  test('goes there, stays, comes back, and has the proofs of both', async () => {
    const { drill, moves, state, clock } = platform();
    const from = clock.now();
    const { report, position } = await drill();
    expect(moves).toEqual(['there', 'back']);
    expect(position).toBe('home');
    expect(clock.now() - from).toBeGreaterThanOrEqual(340_000);
    expect(report).toMatchObject({
      kind: 'switchover',
      outcome: 'passed',
      rto: { ms: 9_000, objectiveMs: 900_000 },
      rpo: { records: 0, ms: 0, certainty: 'counted' },
      runs: ['20261201T080001Z-switchover-0001', '20261201T080002Z-switchover-0002'],
      legs: [
        { provenZero: true, producersBlockedMs: 3_000 },
        { from: 'green', to: 'blue' },
      ],
    });
    expect(report.verdict).toBe(
      'blue to green and back: nothing was lost, and that is proven; producers waited 3.0 s and 3.0 s',
    );
    const record = foldRun(await readRun(drillState(state), report.run));
    expect(record?.report).toEqual(JSON.parse(JSON.stringify(report)));
    // The right to act is the switchovers' own.
    expect(await readLease(state)).toBeUndefined();
    expect(await readBroken(drillState(state))).toBeUndefined();
  });

  test('whose way back is refused says where things stand, and what to type', async () => {
    const { drill, told, at } = platform();
    told.fails = 'back';
    const { report } = await drill();
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'MirrorLagging' }] });
    expect(report.verdict).toContain('green is the primary, and blue follows');
    expect(report.verdict).toContain('`argus switchover`');
    expect(at()).toBe('there');
  });

  test('that is gone on with after such a refusal only makes the way back', async () => {
    const { clock, drill, told, moves, state } = platform();
    told.fails = 'back';
    await drill();
    // Drills of other kinds since don't hide it.
    for (let day = 2; day < 32; day++) {
      const run = `202612${String(day).padStart(2, '0')}T080000Z-drill-00aa`;
      const details = { kind: 'tabletop' };
      const journal = openJournal(drillState(state), { run, epoch: day }, clock);
      await journal.append({ kind: 'run-started', runbook: 'drill', by: 'asha', details });
    }
    expect(await readBroken(drillState(state))).toMatchObject({ begun, ended: true, lastAtMs: clock.now() });
    delete told.fails;
    const { report } = await drill();
    expect(moves).toEqual(['there', 'back', 'back']);
    expect(report).toMatchObject({ outcome: 'passed' });
    expect(report.runs).toHaveLength(3);
  });

  test.each(['there', 'back'] as const)('that is killed on its way %s is gone on with', async (which) => {
    const { drill, told, moves, state, at } = platform();
    told.dies = which;
    const first = await drill();
    expect(first.report.outcome).toBe('stopped');
    expect(at()).toBe(which === 'there' ? 'going' : 'returning');
    expect(await readBroken(drillState(state))).toMatchObject({ begun, ended: false });
    const { report } = await drill(new AbortController().signal);
    expect(report.outcome).toBe('passed');
    expect(moves).toEqual(which === 'there' ? ['there', 'there', 'back'] : ['there', 'back', 'back']);
  });

  test('whose proof is missing fails, though the platform is home', async () => {
    const { drill, told, at } = platform();
    told.unproven = true;
    const { report } = await drill();
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'LossNotExcluded' }] });
    expect(report.rpo).toBeUndefined();
    expect(at()).toBe('home');
  });
});
