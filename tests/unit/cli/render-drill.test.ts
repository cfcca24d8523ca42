import { describe, expect, test } from 'vitest';
import { renderDrill, renderDrillPlan } from '../../../cli/render-drill.ts';
import { bubbleOf } from '../../../domain/bubble.ts';
import type { DrillReport } from '../../../drills/drill-report.ts';
import { planDrill } from '../../../drills/isolated/plan.ts';
import { drillConfig } from '../drills/isolated/world.ts';

const report: DrillReport = {
  run: '20261122T033000Z-drill-ab12',
  kind: 'isolated',
  outcome: 'passed',
  verdict: 'counts came up on singapore from the replica',
  causes: [],
  trigger: { kind: 'person' },
  by: 'me@here',
  from: 'mumbai',
  to: 'singapore',
  startedAtMs: 0,
  endedAtMs: 60_000,
  rto: { ms: 30_600, objectiveMs: 900_000 },
  rpo: { objectiveMs: 60_000, ms: 1_400, records: 11, certainty: 'counted', topics: [] },
  points: [{ job: 'counts', checkpointId: 12, completedAtMs: 1, uri: 's3://b/p', replayRecords: 868 }],
  rejected: [],
  comparisons: [
    {
      job: 'counts',
      topic: 'metrics',
      kind: 'compared',
      against: 'mirrored',
      records: 9,
      missing: 0,
      unexpected: 0,
      differing: 0,
    },
  ],
  leaks: [],
};

describe('a drill in words', () => {
  test('says what was measured, compared and left', () => {
    expect(renderDrill(report).split('\n')).toEqual([
      'drill 20261122T033000Z-drill-ab12 (isolated): passed, mumbai → singapore',
      'counts came up on singapore from the replica',
      'RTO 30.6 s (objective 15 min 0 s)',
      'RPO 11 records, 1.4 s, counted (objective 1 min 0 s)',
      'counts: restored from checkpoint 12, 868 records read again',
      "output counts → metrics: 9 records of production's (mirrored): equal",
      'nothing is left of it: 0 leaks',
      expect.stringContaining('argus report show'),
      '',
    ]);
  });

  test('says why it failed, and what is left', () => {
    const text = renderDrill({
      ...report,
      outcome: 'failed',
      causes: [{ code: 'OutputDiffers', message: 'key a differs' }],
      comparisons: [{ job: 'counts', topic: 'metrics', kind: 'skipped', why: 'nobody answers' }],
      leaks: [{ kind: 'topic', name: 'argus.drill.x.metrics' }],
    });
    expect(text).toContain('cause: OutputDiffers: key a differs\n');
    expect(text).toContain('output counts → metrics: not compared: nobody answers\n');
    expect(text).toContain('1 leaks:\n  topic argus.drill.x.metrics\n');
  });

  test('tells before it is begun every name that it will make', () => {
    const plan = planDrill({
      bubble: bubbleOf(report.run),
      region: 'singapore',
      storeUri: 's3://standby',
      configured: drillConfig.jobs.map((config) => ({ config, jarPath: '/j.jar' })),
      only: undefined,
      ownCluster: true,
      slots: { free: 0, total: 4 },
    });
    const text = renderDrillPlan(plan, { run: report.run, from: 'mumbai', to: 'singapore', storeUri: 's3://standby' });
    expect(text).toContain('writes argus.drill.20261122t033000z-ab12.metrics in place of metrics');
    expect(text).toContain('group argus-drill-20261122t033000z-ab12-counts');
    expect(text).toContain('s3://standby/argus/drills/20261122t033000z-ab12/counts/checkpoints');
    expect(text).toContain('BLOCKED: the drill needs 2 task slots');
  });
});
