import { describe, expect, test } from 'vitest';
import { bubbleOf } from '../../../../domain/bubble.ts';
import type { FlinkJob } from '../../../../regions/flink/flink-jobs.ts';
import { gatherPlanView } from '../../../../runbooks/failover/gather-plan-view.ts';
import { planFailover } from '../../../../runbooks/failover/plan.ts';
import { type DrillNote, writeDrillNote } from '../../../../state/drill-notes.ts';
import { readRun } from '../../../../state/journal.ts';
import { confirming, failOver, started } from './fail-over.ts';
import type { World } from './world.ts';

const bubble = bubbleOf('20261122T033000Z-drill-ab12');
const note: DrillNote = {
  run: bubble.run,
  atMs: 1,
  by: 'me@here',
  region: 'singapore',
  jobs: [{ job: 'counts', flinkJobId: bubble.flinkJobId(0), slots: 2 }],
  ownCluster: false,
  points: [],
};
const outage = { atMs: 1_799_999_999_000, source: 'first-failed-probe' } as const;

/** A world in which a drill runs, or died, with its job; `stays`: the job can't be ended. */
async function withDrill(over: Partial<DrillNote> = {}, stays = false) {
  const world = await started();
  await writeDrillNote(world.store, { ...note, ...over });
  const jobs: FlinkJob[] = [
    { id: bubble.flinkJobId(0), name: 'counts', state: 'RUNNING', startedAtMs: 1 },
    { id: 'a'.repeat(32), name: 'other', state: 'RUNNING', startedAtMs: 1 },
  ];
  const cancelled: string[] = [];
  const drillFlink = {
    list: async () => jobs,
    cancel: async (id: string) => {
      cancelled.push(id);
      const at = jobs.findIndex((job) => job.id === id);
      if (!stays) jobs[at] = { ...jobs[at]!, state: 'CANCELED' };
    },
  };
  world.context.standby.flink.slots = async () => ({ free: 0, total: 2 });
  return { world, cancelled, context: { ...confirming(world), drillFlink } };
}

/** What the step has said of itself. */
async function evidenceOf({ store }: World, run: string) {
  const facts = (await readRun(store, run)).map(({ fact }) => fact);
  return facts.flatMap((fact) =>
    fact.kind === 'step-finished' && fact.step === 'end-drill' ? [fact.evidence] : [],
  )[0];
}

describe('a failover while a drill runs', () => {
  test('ends its jobs before its own start, and nothing else; their slots count as free', async () => {
    const { context, cancelled, world } = await withDrill();
    const report = await failOver(world, context);
    expect(report.outcome).toBe('done');
    expect(cancelled).toEqual([bubble.flinkJobId(0)]);
    expect(await evidenceOf(world, report.run)).toEqual({ asked: [bubble.run], ended: [bubble.run] });
    const ids = report.steps.map(({ id }) => id);
    expect(ids.indexOf('end-drill')).toBeGreaterThan(0);
    expect(ids.indexOf('end-drill')).toBeLessThan(ids.indexOf('start-jobs'));
    expect(world.effects.some((effect) => effect.startsWith('start '))).toBe(true);
  });

  test('goes on when they do not end', async () => {
    const { context, world } = await withDrill({}, true);
    context.standby.flink.slots = async () => ({ free: 2, total: 2 });
    const report = await failOver(world, context);
    expect(report.outcome).toBe('done');
    const step = report.steps.find(({ id }) => id === 'end-drill');
    expect(step).toMatchObject({ status: 'failed' });
    expect(step?.ms).toBeLessThan(15_000);
  });

  test('asks jobs in a cluster of their own to end, and does not wait for them', async () => {
    const { context, world, cancelled } = await withDrill({ ownCluster: true }, true);
    context.standby.flink.slots = async () => ({ free: 2, total: 2 });
    const report = await failOver(world, context);
    expect(cancelled).toEqual([bubble.flinkJobId(0)]);
    const step = report.steps.find(({ id }) => id === 'end-drill');
    expect(step).toMatchObject({ status: 'done' });
    expect(await evidenceOf(world, report.run)).toEqual({ asked: [bubble.run], ended: [] });
    expect(step?.ms).toBeLessThan(1_000);
  });

  test('never cancels an id that is no drill’s, whatever the note says', async () => {
    const { context, cancelled, world } = await withDrill({
      jobs: [{ job: 'other', flinkJobId: 'a'.repeat(32), slots: 1 }],
    });
    context.standby.flink.slots = async () => ({ free: 2, total: 2 });
    const report = await failOver(world, context);
    expect(report.outcome).toBe('done');
    expect(cancelled).toEqual([]);
  });

  test('has no such step where there is no note, or one of another region', async () => {
    const { context } = await withDrill({ region: 'mumbai' });
    const plan = planFailover(await gatherPlanView({ ...context, epoch: 0 }, outage));
    expect(plan.steps.map(({ id }) => id)).not.toContain('end-drill');
    expect(plan.blockers.map(({ code }) => code)).toEqual(['NoSlots']);
  });
});
