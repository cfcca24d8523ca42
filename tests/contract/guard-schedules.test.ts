// Two regions of a broker and an object store each, a daemon, a guard in each region with a witness in a third place, and
// schedules of cuts, freezes and kills while both regions are written to. `tests/full/guard-schedules.test.ts` has more of
// them, on whole labs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startDaemon } from '../../lab/demo/argus-command.ts';
import { startGuardedLab } from '../support/guard-schedules/guarded-lab.ts';
import { operatorOf } from '../support/guard-schedules/operators.ts';
import { describePlayed, playSchedule } from '../support/guard-schedules/play.ts';
import { describeSchedule, guardSchedule } from '../support/guard-schedules/schedule.ts';

const times = { fenceTtlMs: 4_000, skewMs: 2_000, leaseMs: 7_000 };
const lengthMs = 16_000;
/**
 * A primary in the dark whose guard is frozen, and started anew; one that is frozen until its lease has run out, and
 * whose guard then hears nobody. Both wait most of the time, so they do it together.
 */
const seeds = [14, 2006];

test.concurrent.each(seeds)(
  'schedule %i: never two writable sides, each late record counted',
  { timeout: 400_000 },
  async (seed) => {
    const schedule = guardSchedule(seed, lengthMs);
    const guarded = await startGuardedLab('brokers', times);
    const { lab, guards } = guarded;
    const daemonLog = join(lab.dir, 'argus-daemon.log');
    const settings = { configPath: lab.configPath, env: lab.processEnv('argus/daemon') };
    const daemon = startDaemon(settings, daemonLog);
    try {
      const up = { timeout: 120_000 };
      const said = async () => `${guards.mumbai.said()}${guards.singapore.said()}${await readFile(daemonLog, 'utf8')}`;
      await expect.poll(said, up).toContain('mumbai is open');
      await expect.poll(said, up).toContain('singapore is seen to take no writes');
      const played = await playSchedule(guarded, operatorOf(lab, 'brokers'), schedule, 1_000);
      console.log(`${describeSchedule(schedule)}\n  ${describePlayed(played)}`);
      expect(played.wrong, describeSchedule(schedule)).toEqual([]);
    } finally {
      await daemon.stop();
      await guarded.stop();
    }
  },
);
