import { describe, expect, test } from 'vitest';
import { failoverPlanFile, planOptions } from '../../../../cli/failover-plan-file.ts';
import { reviewedOptions } from '../../../../cli/plan-files.ts';
import type { PlanView } from '../../../../runbooks/failover/gather-plan-view.ts';
import { joinReplication } from '../../../../runbooks/failover/join-replication.ts';
import { planFailover } from '../../../../runbooks/failover/plan.ts';
import { prepareFailover } from '../../../../runbooks/failover/run-failover.ts';
import { staleRefusal, whatMoved } from '../../../../runbooks/plan/plan-file.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { endingAt, putPoint } from '../../replication/recovery-point/point-sample.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { config, manifest, roles, type World } from './world.ts';

const outage = { atMs: 1_799_999_995_000, source: 'first-failed-probe' as const };
const made = { madeAtMs: 1, madeBy: 'me' };
const fileOf = async (world: World) =>
  failoverPlanFile(await prepareFailover(world.context, outage), { acceptUnfenced: true }, made);

describe('a reviewed failover', () => {
  test('is carried out while the world is as it was', async () => {
    const world = await started({ primary: 'up' });
    const file = await fileOf(world);
    world.clock.jump(60_000);
    expect(staleRefusal(file, (await prepareFailover(world.context, outage)).basis)).toBeUndefined();
    expect(reviewedOptions(file, 'f', planOptions)).toEqual({ acceptUnfenced: true });
  });

  test.each<[string, (world: World) => Promise<unknown>, RegExp]>([
    [
      'other roles',
      async ({ context }) => {
        Object.assign(context, { roles: { ...roles, epoch: 3 } });
      },
      /roles: was epoch 1, mumbai to singapore, is epoch 3/,
    ],
    [
      'a record that somebody changed',
      ({ context }) => context.names.records.setContent('r1', '127.0.2.1', {}),
      /record ingest\.argus\.test: was r1 holds 127\.0\.1\.1, is r1 holds 127\.0\.2\.1/,
    ],
    [
      'a newer checkpoint in the place of the reviewed one',
      async ({ context }) => {
        const point = { ...manifest, checkpointId: 8 };
        const choice = new Map([['counts', { kind: 'chosen', point, rejected: [] }]]);
        Object.assign(context, { chooseRecoveryPoints: async () => choice });
      },
      /recovery point of counts: was checkpoint 7 of f+, is checkpoint 8 of f+/,
    ],
    [
      'another configuration',
      async ({ context }) => {
        Object.assign(context, { config: { ...config, objectives: { ...config.objectives, rpo: 1 } } });
      },
      /configuration: was/,
    ],
    [
      'jobs that ended',
      ({ context }) => context.primary.flink.cancel('1', {}),
      /jobs on mumbai: was counts 1+, is none running/,
    ],
    [
      'a standby that does not answer any more',
      async ({ context }) => {
        context.standby.flink.list = () => Promise.reject(new Error('away'));
      },
      /jobs on singapore: was none running, is can't be asked/,
    ],
    [
      'a failover that has begun',
      (world) => failOver(world, { ...confirming(world), jobs: [] }),
      /mirror: was not frozen, is frozen/,
    ],
  ])('is refused after %s', async (_, change, named) => {
    const world = await started({ primary: 'up' });
    const file = await fileOf(world);
    await change(world);
    const stale = staleRefusal(file, (await prepareFailover(world.context, outage)).basis);
    expect(stale).toMatchObject({ code: 'PlanStale', exitCode: 3, message: expect.stringMatching(named) });
  });

  test('restores from the reviewed checkpoint although a newer one came, and from none once it is gone', async () => {
    const { context } = await started();
    const kafka = { ...context.standby.kafka, ...endingAt(1_000n, ['events']) };
    const standby = { ...context.standby, kafka };
    await putPoint(standby.objects, 'counts', 1, {});
    await putPoint(standby.objects, 'counts', 2, {});
    const chosen = async (only?: number) => {
      const options = { sinkLogs: { read: async () => [] } };
      const name = (checkpointId: number) => ({ flinkJobId: newest?.point.flinkJobId ?? '', checkpointId });
      const joined = joinReplication(context.primary, standby, ['events'], {
        ...options,
        ...(only === undefined ? {} : { only: new Map([['counts', name(only)]]) }),
      });
      const found = (await joined.chooseRecoveryPoints(context.jobs, [], new AbortController().signal)).get('counts');
      return found?.kind === 'chosen' ? found : undefined;
    };
    let newest: Awaited<ReturnType<typeof chosen>>;
    newest = await chosen();
    expect(newest?.point.checkpointId).toBe(2);
    expect((await chosen(1))?.point.checkpointId).toBe(1);
    expect(await chosen(3)).toBeUndefined();
  });

  test('tells of each step whether it is done, what blocks it and how long it took', async () => {
    const world = await started();
    await failOver(world, confirming(world));
    await writeRoles(world.store, { ...roles, epoch: 3, primary: 'mumbai', standby: 'singapore' });
    const plan = await prepareFailover(world.context, outage);
    const of = (id: string) => plan.steps.find((s) => s.id === id);
    expect(of('freeze-mirror')).toMatchObject({ state: 'done' });
    expect(of('start-jobs')).toMatchObject({ state: 'done', usual: { runs: 1, medianMs: expect.any(Number) } });
    expect(of('flip-names')).toMatchObject({ state: 'done' });
    expect(of('verify-names')).toMatchObject({ state: 'todo' });
    expect(of('stop-primary-jobs')).toMatchObject({ state: 'todo', usual: null });
  });

  test('names the step that a blocker stops', async () => {
    const world = await started({ noPoint: true, acceptUnfenced: false });
    const plan = await prepareFailover(world.context, outage);
    const blocked = plan.steps.filter((s) => s.blockedBy.length > 0).map((s) => [s.id, ...s.blockedBy]);
    expect(blocked).toEqual([
      ['stop-primary-jobs', 'PrimaryUnfenced'],
      ['choose-recovery-point', 'NoRecoveryPoint'],
    ]);
  });
});

test('what a plan relies on names nothing that changes by itself', async () => {
  const view = async (world: World, nowMs: number): Promise<PlanView> => ({
    context: { ...world.context, epoch: 0 },
    outage: { atMs: 1, source: 'run-start' },
    nowMs,
    resolvers: [],
    primaryJobs: { kind: 'unknown', why: `no answer at ${nowMs}` },
    standbyJobs: { kind: 'known', value: [] },
    slots: { kind: 'known', value: { free: nowMs, total: 9 } },
    mirroredEnds: { kind: 'known', value: [{ topic: 'events', partition: 0, offset: BigInt(nowMs) }] },
    choices: [],
    records: [],
  });
  const world = await started();
  const [then, now] = [planFailover(await view(world, 1)), planFailover(await view(world, 2))];
  expect(whatMoved(then.basis, now.basis)).toEqual([]);
});
