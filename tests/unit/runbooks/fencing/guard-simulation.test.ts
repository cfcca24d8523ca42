import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settlesWithin } from '../../../../domain/guard-config.ts';
import {
  decideClaim,
  decideGuard,
  type GuardMemory,
  memoryAtStart,
  remember,
  rememberSilence,
} from '../../../../runbooks/fencing/decide-guard.ts';

/** All times in ms of one true time; the guard's clock may run off it by `drift`. */
const tickMs = 50;
const guardTickMs = 250;
const askEveryMs = 1_000;
const fenceTtlMs = 6_000;
const skewMs = 2_300;
const leaseMs = 9_000;
const horizonMs = 40_000;
/** How long a denial takes to be in force at the brokers; together with the guard's tick below a second. */
const denyMs = 400;

const ways = ['guard-state', 'guard-witness', 'failover-state', 'failover-witness'] as const;
type Way = (typeof ways)[number];

interface Schedule {
  /** Ways are cut from one time to another; several may overlap. */
  readonly cuts: readonly { readonly way: Way; readonly fromMs: number; readonly forMs: number }[];
  /** The region stands still: its guard as well as its brokers. */
  readonly freezes: readonly { readonly fromMs: number; readonly forMs: number }[];
  /** The guard's process ends, and another takes its place: the rules stay, of what it heard only the time. */
  readonly restarts: readonly number[];
  readonly failoverAtMs: number;
  readonly latencyMs: number;
  /** The guard's clock per true millisecond. */
  readonly drift: number;
}

interface Told {
  /** Both sides took writes at these times, each with the time since the last thaw. */
  readonly both: readonly { readonly atMs: number; readonly sinceThawMs: number }[];
  /** A guard was started beside a claim when the one before it had heard nobody for a while. */
  readonly startedSilent: boolean;
  /** It was shut beside a promoted side, and took writes again. */
  readonly reopened: boolean;
  readonly promotedAtMs: number | undefined;
  /** Records that the old primary took after the promotion, and how many of them are beyond the promoted end. */
  readonly tookAfter: number;
  readonly counted: number;
  readonly shutWithoutNeed: boolean;
}

function play({ cuts, freezes, restarts, failoverAtMs, latencyMs, drift }: Schedule, waitMs = leaseMs): Told {
  const cut = (way: Way, at: number) => cuts.some((c) => c.way === way && at >= c.fromMs && at < c.fromMs + c.forMs);
  const frozen = (at: number) => freezes.some((f) => at >= f.fromMs && at < f.fromMs + f.forMs);
  const claims = { state: false, witness: false };
  let memory: GuardMemory = { sinceMs: 0 };
  // It decides nothing before its first questions are answered, or have had their time.
  let startedAt = 0;
  let answered = new Set<'state' | 'witness'>();
  const answers: {
    readonly dueMs: number;
    readonly place: 'state' | 'witness';
    readonly askedAtMs: number;
    readonly claimed: boolean;
  }[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  let decidedAt = Number.NEGATIVE_INFINITY;
  let shutAtMs: number | undefined;
  let word = false;
  let claimedAtMs: number | undefined;
  let promotedAtMs: number | undefined;
  let log = 0;
  let promotedEnd = 0;
  let tookAfter = 0;
  let thawedAtMs = 0;
  let wasFrozen = false;
  let [shutBeside, reopened, startedSilent] = [false, false, false];
  const both: { atMs: number; sinceThawMs: number }[] = [];
  for (let now = 0; now < horizonMs; now += tickMs) {
    const still = frozen(now);
    if (wasFrozen && !still) thawedAtMs = now;
    wasFrozen = still;
    // The guard: after a thaw it decides before it hears anything that waited for it.
    const clock = now * drift;
    if (restarts.includes(now)) {
      const { sinceMs, state, witness } = memory;
      const heardAt = Math.max(sinceMs, state?.askedAtMs ?? sinceMs, witness?.askedAtMs ?? sinceMs);
      memory = memoryAtStart(clock, clock - heardAt, { fenceTtlMs, graceMs: askEveryMs });
      [startedAt, answered] = [clock, new Set()];
      startedSilent ||= claims.witness && clock - heardAt > 2 * askEveryMs;
      [decidedAt, askedAt] = [now - guardTickMs, now - askEveryMs];
      answers.splice(0);
    }
    if (!still) {
      const settled = answered.size === 2 || clock - startedAt >= settlesWithin(fenceTtlMs);
      if (settled && now - decidedAt >= guardTickMs) {
        decidedAt = now;
        const verdict = decideGuard(memory, clock, { region: 'mumbai', fenceTtlMs });
        memory = rememberSilence(memory, verdict, clock);
        if (verdict.kind === 'shut') shutAtMs ??= now + denyMs;
        else if (verdict.kind === 'open') shutAtMs = undefined;
        // It says so when it was seen, where it gets through.
        if (verdict.kind === 'shut' && verdict.because === 'claimed' && shutAtMs !== undefined && now >= shutAtMs)
          word ||= !cut('guard-state', now) || !cut('guard-witness', now);
      }
      for (const answer of answers.splice(0)) {
        if (answer.dueMs > now) answers.push(answer);
        else {
          answered.add(answer.place);
          memory = remember(memory, answer.place, {
            askedAtMs: answer.askedAtMs,
            ...(answer.place === 'state' && { roles: { primary: 'mumbai', epoch: 1 } }),
            ...(answer.claimed && { claimedEpoch: 1 }),
          });
        }
      }
      if (now - askedAt >= askEveryMs) {
        askedAt = now;
        for (const place of ['state', 'witness'] as const) {
          if (cut(`guard-${place}`, now)) continue;
          answers.push({ dueMs: now + latencyMs, place, askedAtMs: clock, claimed: claims[place] });
        }
      }
    }
    // The failover: it can't reach the region at all, only the two places.
    if (now >= failoverAtMs && promotedAtMs === undefined) {
      if (!cut('failover-state', now)) claims.state = true;
      // As `claimPrimary` does: a guard that starts anew goes by the state.
      if (claims.state && !cut('failover-witness', now)) claims.witness = true;
      if (claims.state && claims.witness) claimedAtMs ??= now;
      const heard = word && (!cut('failover-state', now) || !cut('failover-witness', now));
      const verdict = decideClaim({
        nowMs: now,
        leaseMs: waitMs,
        ...(claimedAtMs === undefined ? {} : { claimedAtMs }),
        ...(heard && { word: 'proven' as const }),
      });
      if (verdict.kind !== 'wait') {
        promotedAtMs = now;
        promotedEnd = log;
      }
    }
    const old = !still && (shutAtMs === undefined || now < shutAtMs);
    if (promotedAtMs !== undefined && shutAtMs !== undefined && now >= shutAtMs) shutBeside = true;
    if (old) {
      log++;
      if (promotedAtMs !== undefined) {
        tookAfter++;
        reopened ||= shutBeside;
        both.push({ atMs: now, sinceThawMs: now - thawedAtMs });
      }
    }
  }
  const needed = claims.state || claims.witness;
  return {
    both,
    reopened,
    startedSilent,
    promotedAtMs,
    tookAfter,
    counted: promotedAtMs === undefined ? 0 : log - promotedEnd,
    shutWithoutNeed: shutAtMs !== undefined && !needed,
  };
}

const time = fc.integer({ min: 0, max: 25_000 });
const aTick = fc.integer({ min: 0, max: 25_000 / tickMs }).map((n) => n * tickMs);
const schedules: fc.Arbitrary<Schedule> = fc.record({
  cuts: fc.array(
    fc.record({ way: fc.constantFrom(...ways), fromMs: time, forMs: fc.integer({ min: 50, max: 30_000 }) }),
    {
      maxLength: 6,
    },
  ),
  freezes: fc.array(fc.record({ fromMs: time, forMs: fc.integer({ min: 50, max: 20_000 }) }), { maxLength: 2 }),
  restarts: fc.constant([]),
  failoverAtMs: time,
  latencyMs: fc.integer({ min: 0, max: 900 }),
  drift: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
});

test('10,000 schedules of cuts, freezes and heals: never two writable sides after a cut, at most a second after a thaw, each record counted', () => {
  let promoted = 0;
  let afterThaw = 0;
  fc.assert(
    fc.property(schedules, (schedule) => {
      const told = play(schedule);
      if (told.promotedAtMs !== undefined) promoted++;
      if (told.both.length > 0) afterThaw++;
      const frozenOnce = schedule.freezes.length > 0;
      for (const { sinceThawMs } of told.both) {
        expect(frozenOnce, 'two writable sides without a freeze').toBe(true);
        expect(sinceThawMs, 'two writable sides long after a thaw').toBeLessThan(1_000);
      }
      expect(told.counted).toBe(told.tookAfter);
    }),
    { numRuns: 10_000 },
  );
  // The schedules do reach what they are for.
  expect(promoted).toBeGreaterThan(5_000);
  expect(afterThaw).toBeGreaterThan(20);
});

test('with a guard that is started anew, too: never two writable sides after a cut, and none is opened again', () => {
  let startedSilent = 0;
  const restarted = fc
    .tuple(schedules, fc.array(aTick, { minLength: 1, maxLength: 3 }))
    .map(([schedule, restarts]): Schedule => ({ ...schedule, freezes: [], restarts }));
  fc.assert(
    fc.property(restarted, (schedule) => {
      const told = play(schedule);
      if (told.startedSilent) startedSilent++;
      expect(told.reopened).toBe(false);
      expect(told.both).toEqual([]);
    }),
    { numRuns: 5_000 },
  );
  // The schedules do reach what they are for.
  expect(startedSilent).toBeGreaterThan(100);
});

test('the failure of one of the two places alone never shuts a healthy primary', () => {
  const one = fc.record({
    place: fc.constantFrom<Way>('guard-state', 'guard-witness'),
    fromMs: time,
    forMs: fc.integer({ min: 50, max: 40_000 }),
    latencyMs: fc.integer({ min: 0, max: 900 }),
  });
  fc.assert(
    fc.property(one, ({ place, fromMs, forMs, latencyMs }) => {
      const told = play({
        cuts: [{ way: place, fromMs, forMs }],
        freezes: [],
        restarts: [],
        failoverAtMs: Number.POSITIVE_INFINITY,
        latencyMs,
        drift: 1,
      });
      expect(told.shutWithoutNeed).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('the lease of the simulation is longer than TTL, first answer and skew; with a shorter one it sees two writable sides', () => {
  expect(fenceTtlMs + settlesWithin(fenceTtlMs) + skewMs).toBeLessThan(leaseMs);
  const cut = { fromMs: 3_000, forMs: horizonMs };
  const schedule: Schedule = {
    cuts: [
      { way: 'guard-state', ...cut },
      { way: 'guard-witness', ...cut },
    ],
    freezes: [],
    restarts: [],
    failoverAtMs: 3_500,
    latencyMs: 0,
    drift: 1,
  };
  expect(play(schedule).both).toEqual([]);
  expect(play(schedule, 1_000).both.length).toBeGreaterThan(0);
});
