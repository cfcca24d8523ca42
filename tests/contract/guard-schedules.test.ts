// Two regions of a broker and an object store each, a daemon, a guard in each region with a witness in a third place, and
// schedules of cuts, freezes and kills while both regions are written to. `tests/full/guard-schedules.test.ts` has more of
// them, on whole labs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGuardedLab } from '../support/guard-schedules/guarded-lab.ts';
import { keepDaemon } from '../support/guard-schedules/keep-daemon.ts';
import { operatorOf } from '../support/guard-schedules/operators.ts';
import { describePlayed, playSchedule } from '../support/guard-schedules/play.ts';
import { describeSchedule, type GuardSchedule, guardSchedule } from '../support/guard-schedules/schedule.ts';

const times = { fenceTtlMs: 4_000, skewMs: 2_000, leaseMs: 7_000 };
/** Nobody hears of the failover on the old primary, which stands still until that is done. */
const asleep: GuardSchedule = {
  lengthMs: 8_000,
  events: [
    { atMs: 0, kind: 'cut', way: 'argus-region' },
    { atMs: 100, kind: 'cut', way: 'guard-state' },
    { atMs: 100, kind: 'cut', way: 'guard-witness' },
    { atMs: 500, kind: 'freeze' },
    { atMs: 1_000, kind: 'failover' },
    { atMs: 4_000, kind: 'thaw', whenDone: true },
    { atMs: 7_000, kind: 'heal', way: 'guard-state' },
    { atMs: 7_500, kind: 'heal', way: 'guard-witness' },
    { atMs: 8_000, kind: 'heal', way: 'argus-region' },
  ],
};
/** Of two busy cores, as in `guard.test.ts`; on whole labs it is a second. */
const afterThawMs = 2_000;

// They wait most of the time, so they do it together.
test.concurrent.each([
  ['of a primary that sleeps through the failover', asleep],
  ['of seed 121: in the dark, with a guard that is killed', guardSchedule(121, 16_000)],
])('a schedule %s: never two writable sides, each late record counted', { timeout: 400_000 }, async (_, schedule) => {
  const guarded = await startGuardedLab('brokers', times);
  const { lab, guards } = guarded;
  const daemonLog = join(lab.dir, 'argus-daemon.log');
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus/daemon') };
  const daemon = keepDaemon(settings, daemonLog);
  try {
    const up = { timeout: 120_000 };
    const said = async () => `${guards.mumbai.said()}${guards.singapore.said()}${await readFile(daemonLog, 'utf8')}`;
    await expect.poll(said, up).toContain('mumbai is open');
    await expect.poll(said, up).toContain('singapore is seen to take no writes');
    const played = await playSchedule(guarded, operatorOf(lab, 'brokers'), schedule, afterThawMs);
    console.log(`${describeSchedule(schedule)}\n  ${describePlayed(played)}`);
    expect(played.wrong, describeSchedule(schedule)).toEqual([]);
  } finally {
    await daemon.stop();
    await guarded.stop();
  }
});
