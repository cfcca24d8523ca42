// Two regions of a broker and an object store each, a daemon, a guard in each region with a witness in a third place, and
// schedules of cuts, freezes and kills while both regions are written to. `tests/full/guard-schedules.test.ts` has more of
// them, on whole labs.
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startDaemon } from '../../lab/demo/argus-command.ts';
import { type GuardedLab, startGuardedLab } from '../support/guard-schedules/guarded-lab.ts';
import { operatorOf } from '../support/guard-schedules/operators.ts';
import { describePlayed, playSchedule } from '../support/guard-schedules/play.ts';
import { describeSchedule, guardSchedule } from '../support/guard-schedules/schedule.ts';

const times = { fenceTtlMs: 4_000, skewMs: 2_000, leaseMs: 7_000 };
const lengthMs = 16_000;
let guarded: GuardedLab | undefined;
let daemon: ReturnType<typeof startDaemon> | undefined;

async function end(): Promise<void> {
  await daemon?.stop();
  await guarded?.stop();
  [daemon, guarded] = [undefined, undefined];
}
afterAll(end);

const seeds = process.env.GUARD_SEEDS?.split(',').map(Number) ?? [14, 2006];

test.each(seeds)(
  'schedule %i: never two writable sides, each late record counted',
  { timeout: 120_000 },
  async (seed) => {
    const schedule = guardSchedule(seed, lengthMs);
    guarded = await startGuardedLab('brokers', times);
    const { lab, guards } = guarded;
    const settings = { configPath: lab.configPath, env: lab.processEnv('argus/daemon') };
    daemon = startDaemon(settings, join(lab.dir, 'argus-daemon.log'));
    await expect.poll(() => guards.mumbai.said(), { timeout: 30_000 }).toContain('mumbai is open');
    await expect.poll(() => guards.singapore.said(), { timeout: 30_000 }).toContain('is seen to take no writes');
    const played = await playSchedule(guarded, operatorOf(lab, 'brokers'), schedule, 1_000);
    console.log(`${describeSchedule(schedule)}\n  ${describePlayed(played)}`);
    expect(played.wrong, describeSchedule(schedule)).toEqual([]);
    await end();
  },
);
