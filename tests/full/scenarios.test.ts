import { afterAll, describe, expect, test } from 'vitest';
import { type DemoResult, disagreements, scenarios } from '../../lab/demo/result.ts';
import { playScenario } from '../../lab/demo/scenario.ts';
import { startTestLab } from '../support/whole-lab.ts';

const results: DemoResult[] = [];

describe.each([200, 2_000])('at %i events/s', (rate) => {
  test.each(scenarios)('after a %s the auditor counts what Argus counted', async (scenario) => {
    const lab = await startTestLab();
    const said: string[] = [];
    const run = playScenario(lab, {
      scenario,
      rate,
      warmupMs: 20_000,
      afterMs: 10_000,
      distanceMs: 30,
      say: (line) => said.push(line),
      onArgusOutput: (text) => said.push(text),
    });
    try {
      await run.warmUp();
      await run.failOver();
      const result = await run.account();
      results.push(result);
      expect(disagreements(result), said.join('\n')).toEqual([]);
      expect(result.clientOutageMs).toBeLessThanOrEqual(45_000);
    } finally {
      await run.stop();
      await lab.down();
    }
  });
});

afterAll(() => {
  // A comparison of zeros would prove nothing: over the distance some records are always under way.
  expect(results.reduce((sum, r) => sum + r.audit.orphans, 0)).toBeGreaterThan(0);
});
