import { expect, test } from 'vitest';
import type { Composition } from '../../../../cli/compose.ts';
import type { CommandContext } from '../../../../cli/context.ts';
import { healFaults } from '../../../../cli/daemon/heal-faults.ts';
import type { DaemonView } from '../../../../daemon/service.ts';
import { createMetrics } from '../../../../health/metrics.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { drillState } from '../../../../state/drills.ts';
import { dropFaultNote, putFaultNote } from '../../../../state/fault-notes.ts';
import { quietLog } from '../../daemon/quiet-log.ts';
import { virtualClock } from '../../state/virtual-clock.ts';
// Imported when they are needed; here before the clock goes on.
import '../../../../cli/drill/open-faults.ts';
import '../../../../drills/faults/heal-left.ts';

test('what can not be healed is tried more and more seldom; what is broken anew at once', async () => {
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const tries: number[] = [];
  const from = clock.now();
  const config = { roles: { primary: 'blue', standby: 'green' }, drill: { faults: {} } };
  const loadConfig = async () => {
    tries.push(Math.round((clock.now() - from) / 60_000));
    return { config, folder: '/' };
  };
  const context = { clock, env: {}, loadConfig } as unknown as CommandContext;
  const note = {
    fault: 'broker-down',
    run: '20261122T000000Z-drill-0001',
    atMs: 1,
    by: 'me',
    heal: 'heal it',
  } as const;
  await putFaultNote(drillState(state), note);
  const stop = new AbortController();
  const [log, metrics] = [quietLog(), createMetrics()];
  const broken = async () => {
    const { body } = await metrics.render({ topics: {}, checkpoints: {} });
    return [...body.matchAll(/^argus_drill_fault_left\{fault="(.+)"\} 1$/gm)].map((m) => m[1]);
  };
  const parts = { context, composition: { state } as unknown as Composition, log, metrics };
  const ended = healFaults(parts)({} as DaemonView).run(stop.signal);
  await clock.sleep(4 * 3_600_000);
  expect(tries).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  // Each is told, with what a person would type; and a scrape tells it all the time.
  expect(log.lines).toHaveLength(tries.length);
  expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringMatching(/NOT healed.*heal it$/) });
  expect(await broken()).toEqual(['broker-down']);
  await putFaultNote(drillState(state), { ...note, run: '20261122T040000Z-drill-0002' });
  await clock.sleep(60_000);
  expect(tries.at(-1)).toBe(240);
  await dropFaultNote(drillState(state), 'broker-down');
  await clock.sleep(60_000);
  expect(await broken()).toEqual([]);
  stop.abort();
  await ended;
});
