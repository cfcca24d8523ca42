import { expect, test } from 'vitest';
import type { Composition } from '../../../../cli/compose.ts';
import type { CommandContext } from '../../../../cli/context.ts';
import { healFaults } from '../../../../cli/daemon/heal-faults.ts';
import type { DaemonView } from '../../../../daemon/service.ts';
import { createMetrics } from '../../../../health/metrics.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { drillState } from '../../../../state/drills.ts';
import { dropFaultNote, putFaultNote } from '../../../../state/fault-notes.ts';
import { acquireLease, type Lease } from '../../../../state/lease.ts';
import { quietLog } from '../../daemon/quiet-log.ts';
import { leftNote as note } from '../../drills/faults/fault-world.ts';
import { virtualClock } from '../../state/virtual-clock.ts';
// Imported when they are needed; here before the clock goes on.
import '../../../../cli/drill/open-faults.ts';
import '../../../../drills/faults/heal-left.ts';
import '../../../../runbooks/hooks/call-hook.ts';

/** A daemon's own healing over a state, with hooks for these faults. */
function healing(faults: object = {}) {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const drills = drillState(state);
  const tries: number[] = [];
  const from = clock.now();
  const config = { roles: { primary: 'blue', standby: 'green' }, drill: { faults } };
  const loadConfig = async () => {
    tries.push(Math.round((clock.now() - from) / 60_000));
    return { config, folder: '/' };
  };
  const context = { clock, env: {}, loadConfig } as unknown as CommandContext;
  const stop = new AbortController();
  const [log, metrics] = [quietLog(), createMetrics()];
  const parts = { context, composition: { state } as unknown as Composition, log, metrics };
  return {
    ...{ clock, drills, tries },
    told: () => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
    async broken() {
      const { body } = await metrics.render({ topics: {}, checkpoints: {} });
      return [...body.matchAll(/^argus_drill_fault_left\{fault="(.+)"\} 1$/gm)].map((m) => m[1]);
    },
    begin() {
      const ended = healFaults(parts)({} as DaemonView).run(stop.signal);
      return async () => {
        stop.abort();
        await ended;
      };
    },
    /** A drill that lives. */
    async drill(run: string): Promise<{ readonly lease: Lease; readonly die: () => Promise<void> }> {
      const asked = { holder: 'me', purpose: 'drill', run, ttlMs: 10_000, waitMs: 0 };
      const answer = await acquireLease(drills, asked, clock);
      if (answer.kind === 'held') throw new Error('another drill is at work');
      return { lease: answer.lease, die: answer.lease.keepRenewed() };
    },
  };
}

test('what can not be healed is tried more and more seldom; what is broken anew at once', async () => {
  const { clock, drills, tries, told, broken, begin } = healing();
  await putFaultNote(drills, note);
  const end = begin();
  await clock.sleep(4 * 3_600_000);
  expect(tries).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  // Each is told, with what a person would type; and a scrape tells it all the time.
  expect(told()).toHaveLength(tries.length);
  expect(told().at(-1)).toMatch(/NOT healed.*heal it: heal it; then say so: argus drill clean --healed broker-down$/);
  expect(await broken()).toEqual(['broker-down']);
  await putFaultNote(drills, { ...note, run: '20261122T040000Z-drill-0002' });
  await clock.sleep(60_000);
  expect(tries.at(-1)).toBe(240);
  await dropFaultNote(drills, 'broker-down');
  await clock.sleep(60_000);
  expect(await broken()).toEqual([]);
  await end();
});

test('a heal whose secret lacks is told, with what a person would type', async () => {
  const call = { run: ['link', 'mend'], timeout: 1_000, env: { TOKEN: 'env:LINK_TOKEN' } };
  const { clock, drills, told, broken, begin } = healing({ 'broker-down': { inject: call, heal: call } });
  await putFaultNote(drills, note);
  const end = begin();
  await clock.sleep(10_000);
  expect(told()).toEqual([
    expect.stringMatching(/NOT healed: the secret env:LINK_TOKEN has no value.*; heal it: heal it; then say so:/),
  ]);
  expect(await broken()).toEqual(['broker-down']);
  await end();
});

test('what a drill at work has broken is not left, though nothing here could heal it; once it is dead it is', async () => {
  const { clock, drills, told, broken, begin, drill } = healing();
  const { die } = await drill(note.run);
  await putFaultNote(drills, note);
  const end = begin();
  await clock.sleep(10 * 60_000);
  expect([told(), await broken()]).toEqual([[], []]);
  await die();
  await clock.sleep(60_000);
  expect([told().length, await broken()]).toEqual([1, ['broker-down']]);
  await end();
});

test('what a drill leaves that ends in order is told at once, also while the next one is at work', async () => {
  const { clock, drills, told, broken, begin, drill } = healing();
  const first = await drill(note.run);
  await putFaultNote(drills, note);
  const end = begin();
  await clock.sleep(60_000);
  await first.die();
  await first.lease.release();
  const { die } = await drill('20261122T000100Z-drill-0002');
  await clock.sleep(40_000);
  expect([told().length, await broken()]).toEqual([1, ['broker-down']]);
  await die();
  await end();
});

test('what could not be healed is so while another drill is at work, and is tried soon after that', async () => {
  const call = { run: ['/nowhere/mend'], timeout: 1_000 };
  const { clock, drills, told, broken, begin, drill } = healing({ 'broker-down': { inject: call, heal: call } });
  await putFaultNote(drills, note);
  const end = begin();
  await clock.sleep(20_000);
  expect([told(), await broken()]).toEqual([[expect.stringMatching(/NOT healed.*no start/)], ['broker-down']]);
  const other = await drill('20261122T000100Z-drill-0002');
  for (let minute = 0; minute < 20; minute++) {
    await clock.sleep(60_000);
    expect([told().length, await broken()]).toEqual([1, ['broker-down']]);
  }
  await other.die();
  await other.lease.release();
  await clock.sleep(45_000);
  expect([told().length, await broken()]).toEqual([2, ['broker-down']]);
  // The second pause is of two minutes: a try that was not made counts for none.
  await clock.sleep(60_000);
  expect(told()).toHaveLength(2);
  await clock.sleep(105_000);
  expect(told()).toHaveLength(3);
  await dropFaultNote(drills, note.fault);
  await clock.sleep(60_000);
  expect(await broken()).toEqual([]);
  await end();
});
