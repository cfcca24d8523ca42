import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actedAt, type Fault, play } from './simulated-watch.ts';

const schedules = 10_000;
const seconds = 56;

/** A generator of its own, so that ten thousand schedules cost little: mulberry32. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What may go wrong without the primary being gone; nothing of the whole primary is away for as long as the hold-down. */
function mishaps(next: () => number): Fault[] {
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  const faults: Fault[] = [];
  // Flaps don't follow one another so closely that they are one.
  let free = 2 + next() * 6;
  for (let i = 0; i < 4; i++) {
    const from = Math.floor(next() * (seconds - 10));
    const to = from + 2 + Math.floor(next() * 40);
    const region = pick('blue', 'green');
    const name = pick('east', 'west', 'far');
    const kind = pick('flap', 'dead-flap', 'slow', 'observer', 'standby', 'blind', 'part', 'skew', 'pair', 'unheard');
    if (kind === 'flap' || kind === 'dead-flap') {
      const start = Math.ceil(free);
      const ends = start + 1 + Math.floor(next() * (kind === 'flap' ? 20 : 6));
      free = ends + 3;
      if (kind === 'flap')
        for (const place of ['green', 'outside'])
          faults.push({ kind: 'cut', place, region: 'blue', from: start, to: ends });
      else faults.push({ kind: 'dead', region: 'blue', from: start, to: ends });
    } else if (kind === 'slow')
      faults.push({ kind, region, only: pick('kafka', 'flink', 'ingress'), ms: 500 + next() * 5_000, from, to });
    else if (kind === 'observer') faults.push({ kind, name, from, to });
    else if (kind === 'standby') faults.push({ kind: pick('dead', 'silent'), region: 'green', from, to });
    else if (kind === 'blind')
      for (const r of ['blue', 'green']) faults.push({ kind: 'cut', place: 'outside', region: r, from, to });
    else if (kind === 'part')
      faults.push({ kind: pick('dead', 'silent'), region, only: pick('kafka', 'flink', 'job', 'objects'), from, to });
    else if (kind === 'skew') faults.push({ kind, name, ms: (next() - 0.5) * 7_200_000, from, to });
    else if (kind === 'pair') faults.push({ kind: 'cut', place: 'green', region: 'blue', from, to });
    else if (kind === 'unheard') faults.push({ kind, name, from, to });
  }
  return faults;
}

test(`${schedules} random schedules without an outage: no failover`, { timeout: 180_000 }, () => {
  const wrong: unknown[] = [];
  for (let seed = 1; seed <= schedules; seed++) {
    const faults = mishaps(random(seed));
    const at = actedAt(play({ faults, seconds, stepMs: 2_000, settings: { acceptUnreachable: true } }));
    if (at !== undefined) wrong.push({ seed, at, faults });
  }
  expect(wrong).toEqual([]);
});

test('real outages are decided within their bound, whatever else goes wrong before', { timeout: 180_000 }, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.boolean(), (seed, silent) => {
      const before = mishaps(random(seed))
        .map((f) => ({ ...f, to: Math.min(f.to, 50) }))
        .filter((f) => f.from < f.to);
      const outage: Fault = { kind: silent ? 'silent' : 'dead', region: 'blue', from: 60, to: 200 };
      const at = actedAt(play({ faults: [...before, outage], seconds: 120, settings: { acceptUnreachable: true } }));
      expect(at).toBeGreaterThanOrEqual(silent ? 88 : 66);
      expect(at).toBeLessThanOrEqual(silent ? 98 : 76);
    }),
    { numRuns: 100 },
  );
});

test('unknown alone never allows an act, unless that was accepted beforehand', { timeout: 180_000 }, () => {
  const place = fc.constantFrom('green', 'outside', 'blue');
  const region = fc.constantFrom('blue', 'green');
  const from = fc.integer({ min: 0, max: 30 });
  const to = fc.integer({ min: 31, max: 120 });
  const fault = fc.oneof(
    fc.record({ kind: fc.constant('cut' as const), place, region, from, to }),
    fc.record({ kind: fc.constant('silent' as const), region, from, to }),
    fc.record({ kind: fc.constant('slow' as const), region, ms: fc.integer({ min: 100, max: 9_000 }), from, to }),
    fc.record({ kind: fc.constant('observer' as const), name: fc.constantFrom('east', 'west', 'far'), from, to }),
  );
  fc.assert(
    fc.property(fc.array(fault, { maxLength: 6 }), (faults) => {
      // The job that doesn't run in the standby fails there; nothing of the primary ever refuses.
      expect(actedAt(play({ faults, seconds: 120, stepMs: 2_000 }))).toBeUndefined();
    }),
    { numRuns: 150 },
  );
});

test('a reader that is slow doesn’t forget an outage, and one that slept counts it anew', () => {
  const faults: readonly Fault[] = [{ kind: 'dead', region: 'blue', from: 24, to: 400 }];
  expect(actedAt(play({ faults, seconds: 100, stepMs: 12_000 }))).toBe(36);
  expect(actedAt(play({ faults, seconds: 400, stepMs: 31_000 }))).toBeUndefined();
});
