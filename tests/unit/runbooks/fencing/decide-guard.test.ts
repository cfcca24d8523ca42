import { describe, expect, test } from 'vitest';
import {
  type ClaimView,
  decideClaim,
  decideGuard,
  type GuardMemory,
  remember,
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
  ])('%s', (_, memory, nowMs, expected) => {
    const verdict = decideGuard(memory, nowMs, settings);
    expect(verdict.kind === 'shut' ? verdict.because : verdict.kind).toBe(expected);
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
