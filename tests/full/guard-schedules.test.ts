// Schedules of cuts, freezes and kills over whole labs with a guard in each region: real failovers of Kafka, Flink and
// names. Each on a lab of its own. GUARD_SEED begins with that seed (else with one by the time), GUARD_COUNT is how many.
import { afterEach, expect, test } from 'vitest';
import { type GuardedLab, startGuardedLab } from '../support/guard-schedules/guarded-lab.ts';
import { operatorOf } from '../support/guard-schedules/operators.ts';
import { describePlayed, playSchedule } from '../support/guard-schedules/play.ts';
import { describeSchedule, guardSchedule } from '../support/guard-schedules/schedule.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';

const times = { fenceTtlMs: 6_000, skewMs: 3_000, leaseMs: 10_000 };
const lengthMs = 40_000;
/** What a thaw may explain. */
const afterThawMs = 1_000;
const first = Number(process.env.GUARD_SEED ?? Date.now() % 1_000_000);
const seeds = Array.from({ length: Number(process.env.GUARD_COUNT ?? 15) }, (_, i) => first + i);

let guarded: GuardedLab | undefined;
let story: LabStory | undefined;

afterEach(async () => {
  await story?.stop();
  await guarded?.stop();
  [story, guarded] = [undefined, undefined];
});

test.each(seeds)('schedule %i: never two writable sides, each late record counted, no false success', async (seed) => {
  const schedule = guardSchedule(seed, lengthMs);
  guarded = await startGuardedLab('whole', times);
  const { lab, guards } = guarded;
  story = await beginStory(lab, 50);
  await expect.poll(() => guards.mumbai.said(), { timeout: 30_000 }).toContain('mumbai is open');
  const played = await playSchedule(guarded, operatorOf(lab, 'whole'), schedule, afterThawMs);
  console.log(`${describeSchedule(schedule)}\n  ${describePlayed(played)}`);
  expect(played.wrong, describeSchedule(schedule)).toEqual([]);
});
