import { describe, expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import type { JobConfig } from '../../../../domain/config.ts';
import { type DrillPlanView, planDrill } from '../../../../drills/isolated/plan.ts';
import { drillConfig } from './world.ts';

const [job] = drillConfig.jobs as [JobConfig];
const args = (...singapore: readonly string[]) => ({ ...job.drill!, args: { singapore: [...singapore] } });

const view = (over: Partial<JobConfig> = {}, more: Partial<DrillPlanView> = {}): DrillPlanView => ({
  bubble: bubbleOf('20261122T033000Z-drill-ab12'),
  region: 'singapore',
  storeUri: 's3://standby',
  configured: [{ config: { ...job, ...over }, jarPath: '/jars/counts.jar' }],
  only: undefined,
  ownCluster: true,
  slots: { free: 2, total: 4 },
  ...more,
});
const codes = (from: DrillPlanView) => planDrill(from).blockers.map(({ code }) => code);
const without = (key: 'drill' | 'writes' | 'submit'): Partial<JobConfig> => ({ [key]: undefined });

describe('the plan of an isolated drill', () => {
  test('puts names of the drill in the place of placeholders', () => {
    const [planned] = planDrill(view()).jobs;
    expect(planned).toMatchObject({
      args: [
        '--group',
        'argus-drill-20261122t033000z-ab12-counts',
        '--txid=argus-drill-20261122t033000z-ab12-counts',
        '--out',
        'argus.drill.20261122t033000z-ab12.metrics',
      ],
      flinkJobId: 'd4111d411120261122033000ab120000',
      checkpoints: 'argus/drills/20261122t033000z-ab12/counts/checkpoints',
    });
    expect([...planned!.topics]).toEqual([['metrics', 'argus.drill.20261122t033000z-ab12.metrics']]);
  });

  test('tells a job its checkpoint directory where it asks for it', () => {
    const drill = args('{group}', '{transactionalIdPrefix}', '{topic:metrics}', '--dir={checkpoints}');
    expect(planDrill(view({ drill })).jobs[0]?.args.at(-1)).toBe(
      '--dir=s3://standby/argus/drills/20261122t033000z-ab12/counts/checkpoints',
    );
  });

  test.each([
    ['that takes part in none', without('drill'), 'DrillNotConfigured'],
    [
      'without arguments for the region',
      { drill: { ...job.drill!, args: { mumbai: ['{group}'] } } },
      'DrillNotConfigured',
    ],
    ['that is told no group', { drill: args('{transactionalIdPrefix}', '{topic:metrics}') }, 'DrillArgsIncomplete'],
    ['that is told no prefix', { drill: args('{group}', '{topic:metrics}') }, 'DrillArgsIncomplete'],
    [
      'that is told another topic',
      { drill: args('{group}', '{transactionalIdPrefix}', '{topic:x}') },
      'DrillArgsIncomplete',
    ],
    ['whose output nobody configured', without('writes'), 'WritesUnknown'],
    ['without a jar', without('submit'), 'DrillNeedsJar'],
  ] as const)('refuses a job %s', (_, over, code) => {
    expect(codes(view(over as Partial<JobConfig>))).toEqual([code]);
  });

  test('takes a muted job whose output nobody configured', () => {
    const drill = { ...args('{group}'), muted: true };
    expect(codes(view({ ...without('writes'), drill } as Partial<JobConfig>))).toEqual([]);
  });

  test('leaves in the region’s own cluster as many slots free as a failover needs', () => {
    const slots = (free: number) => ({ slots: { free, total: 8 } });
    expect(codes(view({}, { ownCluster: false, ...slots(3) }))).toEqual(['NoSlotsForDrill']);
    expect(codes(view({}, { ownCluster: false, ...slots(4) }))).toEqual([]);
    expect(codes(view({}, slots(1)))).toEqual(['NoSlotsForDrill']);
  });

  test('refuses a jar that is not there before anything is made', () => {
    expect(codes(view({}, { unreadableJars: new Set(['/jars/counts.jar']) }))).toEqual(['JobJarUnreadable']);
  });

  test('is of the named jobs alone', () => {
    const other = { config: { ...job, name: 'other', ...without('drill') } as JobConfig, jarPath: '/jars/o.jar' };
    const both = [...view().configured, other];
    expect(codes(view({}, { configured: both }))).toEqual(['DrillNotConfigured']);
    const only = planDrill(view({}, { configured: both, only: ['counts'] }));
    expect(only).toMatchObject({ blockers: [], jobs: [{ config: { name: 'counts' } }] });
  });
});
