import { describe, expect, test } from 'vitest';
import {
  type ClaimView,
  decideClaim,
  decideGuard,
  type GuardMemory,
  memoryAtStart,
  remember,
  rememberSilence,
} from '../../../../runbooks/fencing/decide-guard.ts';

const settings = { region: 'mumbai', fenceTtlMs: 20_000 };
const primary = { primary: 'mumbai', epoch: 3 };
const other = { primary: 'singapore', epoch: 4 };

describe('a guard', () => {
  test.each<[string, GuardMemory, number, string]>([
    [
      'leaves its region open while the state answers',
      { sinceMs: 0, state: { askedAtMs: 95_000, roles: primary } },
      100_000,
      'open',
    ],
    [
      'does so while only the witness answers',
      { sinceMs: 0, state: { askedAtMs: 1, roles: primary }, witness: { askedAtMs: 95_000 } },
      100_000,
      'open',
    ],
    [
      'shuts when neither was heard for the TTL',
      { sinceMs: 0, state: { askedAtMs: 80_000, roles: primary }, witness: { askedAtMs: 79_000 } },
      100_000,
      'silence',
    ],
    ['shuts when it never heard anybody', { sinceMs: 0 }, 20_000, 'silence'],
    ['waits the TTL from its own start on', { sinceMs: 0 }, 19_999, 'keep'],
    ['opens nothing while only the witness told', { sinceMs: 0, witness: { askedAtMs: 1 } }, 2, 'keep'],
    ['nor while the state tells no roles', { sinceMs: 0, state: { askedAtMs: 1 } }, 2, 'keep'],
    [
      'shuts for a claim in the state',
      { sinceMs: 0, state: { askedAtMs: 1, roles: primary, claimedEpoch: 3 }, witness: { askedAtMs: 1 } },
      2,
      'claimed',
    ],
    [
      'shuts for a claim at the witness alone',
      { sinceMs: 0, witness: { askedAtMs: 1, claimedEpoch: 3 } },
      2,
      'claimed',
    ],
    [
      'passes over a claim on roles of before',
      { sinceMs: 0, state: { askedAtMs: 1, roles: primary, claimedEpoch: 2 } },
      2,
      'open',
    ],
    ['shuts when another is primary', { sinceMs: 0, state: { askedAtMs: 1, roles: other } }, 2, 'not-primary'],
    [
      'opens when a run makes it primary',
      { sinceMs: 0, state: { askedAtMs: 1, roles: other, openedFor: 5, claimedEpoch: 3 } },
      2,
      'open',
    ],
    [
      'shuts for a claim on the very roles that it is opened for',
      { sinceMs: 0, state: { askedAtMs: 1, roles: other, openedFor: 5 }, witness: { askedAtMs: 1, claimedEpoch: 5 } },
      2,
      'claimed',
    ],
    [
      'stays shut after a silence while only the witness answers',
      { sinceMs: 0, silentAtMs: 90_000, state: { askedAtMs: 1, roles: primary }, witness: { askedAtMs: 95_000 } },
      100_000,
      'silence',
    ],
    [
      'and for an answer of the state that was asked for before it',
      { sinceMs: 0, silentAtMs: 90_000, state: { askedAtMs: 89_999, roles: primary } },
      100_000,
      'silence',
    ],
    [
      'opens when the state told the roles after it',
      { sinceMs: 0, silentAtMs: 90_000, state: { askedAtMs: 90_000, roles: primary } },
      100_000,
      'open',
    ],
    [
      'shuts for a claim that it hears at the witness after it',
      { sinceMs: 0, silentAtMs: 90_000, witness: { askedAtMs: 95_000, claimedEpoch: 3 } },
      100_000,
      'claimed',
    ],
  ])('%s', (_, memory, nowMs, expected) => {
    const verdict = decideGuard(memory, nowMs, settings);
    expect(verdict.kind === 'shut' ? verdict.because : verdict.kind).toBe(expected);
  });

  test.each<[string, number | undefined, number]>([
    ['begins to count when it is the first', undefined, 100_000],
    ['goes on counting after a short gap', 19_000, 81_000],
    ['also after one just above the TTL', 30_000, 70_000],
    ['gives a region that nobody guarded for long a moment to hear somebody', 40_000, 81_000],
    ['counts from its start where the wall clock was set back', -5_000, 100_000],
  ])('that is started anew %s', (_, silentMs, expected) => {
    const memory = memoryAtStart(100_000, silentMs, { fenceTtlMs: settings.fenceTtlMs, graceMs: 1_000 });
    expect(memory.sinceMs).toBe(expected);
  });

  test('that starts in a silence of the TTL opens for the state, asked since its start, and not for the witness', () => {
    const memory = memoryAtStart(100_000, 30_000, { fenceTtlMs: settings.fenceTtlMs, graceMs: 1_000 });
    const witness = { ...memory, witness: { askedAtMs: 100_000 } };
    expect(decideGuard(witness, 100_500, settings)).toMatchObject({ kind: 'shut', hears: 'witness' });
    const state = { ...memory, state: { askedAtMs: 100_000, roles: primary } };
    expect(decideGuard(state, 100_500, settings)).toEqual({ kind: 'open' });
  });

  test('keeps the last time in mind at which it heard nobody', () => {
    const silent = (sinceMs: number, at: number) => {
      const memory = { sinceMs, silentAtMs: 7 };
      return rememberSilence(memory, decideGuard(memory, at, settings), at).silentAtMs;
    };
    expect(silent(0, 20_000)).toBe(20_000);
    expect(silent(1, 20_000)).toBe(7);
  });

  test('an answer that was asked for earlier does not undo a later one', () => {
    const memory = remember({ sinceMs: 0 }, 'state', { askedAtMs: 10, claimedEpoch: 3 });
    expect(remember(memory, 'state', { askedAtMs: 9 })).toBe(memory);
    expect(remember(memory, 'state', { askedAtMs: 11 }).state?.claimedEpoch).toBeUndefined();
  });
});

test.each<[string, Partial<ClaimView>, string]>([
  ['waits while the claim is not in both places', { nowMs: 1_000_000 }, 'wait'],
  ['even when somebody says that it is shut', { word: 'proven' }, 'wait'],
  ["takes the guard's word", { claimedAtMs: 0, word: 'partial' }, 'told'],
  ['waits for the lease', { claimedAtMs: 0, nowMs: 44_999 }, 'wait'],
  ['goes on when that ran out', { claimedAtMs: 0, nowMs: 45_000 }, 'expired'],
])('a failover of a primary in the dark %s', (_, over, expected) => {
  expect(decideClaim({ nowMs: 10, leaseMs: 45_000, ...over }).kind).toBe(expected);
});
