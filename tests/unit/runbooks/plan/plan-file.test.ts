import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodePlan,
  encodePlan,
  hashOf,
  type PlanFile,
  staleRefusal,
  whatMoved,
} from '../../../../runbooks/plan/plan-file.ts';

const plan: PlanFile = {
  argusPlan: 1,
  runbook: 'failover',
  madeAtMs: 1_800_000_000_000,
  madeBy: 'me@here',
  from: 'mumbai',
  to: 'singapore',
  options: { acceptUnfenced: true, acceptDataLoss: 90_000 },
  steps: [{ id: 'promote', title: 'Make singapore the primary', manual: ['echo'] }],
  pointOfNoReturn: 'promote',
  recoveryPoints: [{ job: 'counts', flinkJobId: 'f'.repeat(32), checkpointId: 7, completedAtMs: 1 }],
  basis: { roles: 'epoch 1', 'record ingest.argus.test': 'r1 holds 127.0.1.1' },
};
const changed = (change: (json: Record<string, unknown>) => void) => {
  const json = JSON.parse(encodePlan(plan));
  change(json);
  return JSON.stringify(json);
};

describe('a plan in a file', () => {
  test('is read as it was written, whatever the order of its keys', () => {
    expect(decodePlan(encodePlan(plan), 'plan.json', 'failover')).toEqual(plan);
    const turned = Object.fromEntries(Object.entries(JSON.parse(encodePlan(plan))).reverse());
    expect(decodePlan(JSON.stringify(turned), 'plan.json', 'failover')).toEqual(plan);
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /^plan\.json: not JSON$/],
    ['no object', '[]', /^plan\.json: .*object/],
    [
      'a newer format',
      changed((j) => {
        j.argusPlan = 2;
      }),
      /^plan\.json: argusPlan: /,
    ],
    [
      'a field that lacks',
      changed((j) => {
        delete j.basis;
      }),
      /^plan\.json: basis: /,
    ],
    [
      'a field that nobody knows',
      changed((j) => {
        j.extra = 1;
      }),
      /^plan\.json: .*extra/,
    ],
    [
      'a field of another kind',
      changed((j) => {
        j.steps = [{ id: 'a', title: 'b', manual: 'c' }];
      }),
      /^plan\.json: steps\.0\.manual: /,
    ],
    [
      'no steps',
      changed((j) => {
        j.steps = [];
      }),
      /^plan\.json: steps: /,
    ],
    [
      "another runbook's",
      changed((j) => {
        j.runbook = 'switchover';
      }),
      /^plan\.json: runbook: a plan of argus switchover$/,
    ],
    [
      'a hash that is none',
      changed((j) => {
        j.sha256 = 'x';
      }),
      /^plan\.json: sha256: /,
    ],
    [
      'a changed checkpoint',
      changed((j) => {
        j.recoveryPoints = [];
      }),
      /^plan\.json: sha256: the plan was changed/,
    ],
    [
      'a changed option',
      changed((j) => {
        j.options = {};
      }),
      /^plan\.json: sha256: the plan was changed/,
    ],
  ])('with %s is refused with exit code 2, file and field', (_, text, named) => {
    let caught: unknown;
    try {
      decodePlan(text, 'plan.json', 'failover');
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'PlanInvalid',
      exitCode: 2,
      message: expect.stringMatching(named),
      hint: expect.any(String),
    });
  });

  test('throws nothing but its own error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          decodePlan(text, 'p', 'failover');
        } catch (error) {
          expect(error).toMatchObject({ code: 'PlanInvalid' });
        }
      }),
    );
  });
});

describe('what a plan relies on', () => {
  test('is named where it has moved, came or went', () => {
    expect(whatMoved({ a: '1', b: '2', c: '3' }, { a: '1', b: '4', d: '5' })).toEqual([
      'b: was 2, is 4',
      'c: was 3, is nothing',
      'd: was nothing, is 5',
    ]);
  });

  test('refuses the plan with exit code 3, what moved, and what to do', () => {
    expect(staleRefusal(plan, plan.basis)).toBeUndefined();
    expect(staleRefusal(plan, { ...plan.basis, roles: 'epoch 2' })).toMatchObject({
      code: 'PlanStale',
      exitCode: 3,
      message: expect.stringContaining('roles: was epoch 1, is epoch 2'),
      hint: expect.stringContaining('argus failover --plan-out'),
    });
  });

  test('hashes alike in any order of keys, without what is undefined', () => {
    expect(hashOf({ a: 1n, b: { c: [1, 2], d: undefined } })).toBe(hashOf({ b: { c: [1, 2] }, a: '1' }));
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
  });
});
