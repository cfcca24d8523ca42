import { afterAll, beforeAll, expect, test } from 'vitest';
import { disagreements } from '../../lab/demo/result.ts';
import { playScenario, type ScenarioRun } from '../../lab/demo/scenario.ts';
import type { Lab } from '../../lab/lab.ts';
import { automaticStatus, startAutomaticLab, untilWatched } from '../support/automatic-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let run: ScenarioRun;
let outageAtMs = 0;

beforeAll(async () => {
  lab = await startAutomaticLab();
  run = playScenario(lab, {
    scenario: 'kill',
    unattended: true,
    rate: 200,
    warmupMs: 8_000,
    afterMs: 4_000,
    distanceMs: 30,
    async afterOutage() {
      outageAtMs = Date.now();
    },
    say: () => undefined,
  });
});

afterAll(async () => {
  await run?.stop();
  await lab?.down();
});

test('three observers find nothing wrong, and readiness is green', async () => {
  await run.warmUp();
  await untilWatched(lab);
});

test('the primary is killed under load, and nobody is there: its death is told within 10 s, and acted on', async () => {
  await run.failOver();
  const { decisions } = await automaticStatus(lab);
  const about = decisions.filter((d) => d.atMs > outageAtMs && d.verdict === 'PrimaryDead').toReversed();
  expect(about[0]).toMatchObject({ kind: 'wait', reasons: [{ code: 'HoldDown' }] });
  expect((about[0]?.atMs ?? 0) - outageAtMs).toBeLessThanOrEqual(10_000);
  expect(about.find((d) => d.kind === 'act')?.by).toMatch(/^argus automatic on /);
});

test('the whole takes at most 45 s, and the auditor counts what Argus counted', async () => {
  const result = await run.account();
  console.log(`RTO ${result.rtoMs} ms, clients without answer for ${result.clientOutageMs} ms`);
  expect(disagreements(result)).toEqual([]);
  expect(result.rtoMs).toBeGreaterThan(0);
  expect(result.rtoMs).toBeLessThanOrEqual(45_000);
  expect(result.clientOutageMs).toBeLessThanOrEqual(45_000);
});

test('what was done is explained: the run names verdict, evidence and what was accepted beforehand', async () => {
  const { standing, decisions } = await automaticStatus(lab);
  expect(standing?.primary).toBe('singapore');
  const acted = decisions.find((d) => d.kind === 'act');
  expect(acted?.sentence).toMatch(/^PrimaryDead: nothing in mumbai gives a good answer, and it refuses /);
});
