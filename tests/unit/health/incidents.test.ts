import { describe, expect, test } from 'vitest';
import { incidents } from './incidents/incidents.ts';
import { actedAt, codesOf, play } from './simulated-watch.ts';

describe.each(incidents)('$name', (incident) => {
  const moments = play(incident);

  test(`${incident.acts === undefined ? 'moves nothing' : 'fails over'}`, () => {
    const at = actedAt(moments);
    if (incident.acts === undefined) expect(at).toBeUndefined();
    else {
      expect(at).toBeGreaterThanOrEqual(incident.acts.from);
      expect(at).toBeLessThanOrEqual(incident.acts.to);
    }
  });

  test('is called by its name', () => {
    expect(codesOf(moments)).toEqual(expect.arrayContaining([...incident.verdicts]));
    for (const code of incident.never ?? []) expect(codesOf(moments)).not.toContain(code);
  });

  test('explains why nothing is done', () => {
    const waits = new Set(
      moments.flatMap(({ decision }) => (decision.kind === 'wait' ? decision.reasons.map((r) => r.code) : [])),
    );
    for (const reason of incident.waits ?? []) expect([...waits]).toContain(reason);
  });
});

test('a verdict names who saw what, and for how long', () => {
  const outage = incidents.find((i) => i.name === 'full outage');
  const verdict = play(outage ?? { faults: [], seconds: 1 })
    .flatMap((m) => m.verdicts)
    .findLast((v) => v.code === 'PrimaryDead');
  expect(verdict?.sentence).toBe(
    'nothing in blue gives a good answer, and it refuses east, west, far (3 of 3 observers)',
  );
  expect(verdict?.evidence).toContainEqual(
    expect.stringMatching(/^far: kafka in blue failed for (4[5-9]|50) s: connection refused$/),
  );
});
