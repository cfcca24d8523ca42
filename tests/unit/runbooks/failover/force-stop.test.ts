import { expect, test } from 'vitest';
import type { FlinkJobs, ForcedStop } from '../../../../regions/flink/flink-jobs.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { readRun } from '../../../../state/journal.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { runName, type World } from './world.ts';

const job = { id: '1'.repeat(32), name: 'counts', state: 'CANCELLING', startedAtMs: 1 };

/** A primary whose job doesn't end by a cancellation; `force` is what happens when it is told to. */
function stubborn(world: World, force: () => ForcedStop & { readonly left: boolean }) {
  let there = true;
  const asked: { readonly giveUp: boolean | undefined; readonly atMs: number }[] = [];
  const context = confirming(world);
  const flink: FlinkJobs = {
    ...context.primary.flink,
    list: async () => (there ? [job] : []),
    cancel: async () => undefined,
    forceStop: async (_id, options) => {
      asked.push({ giveUp: options?.giveUp, atMs: world.clock.monotonic() });
      const { left, ...done } = force();
      there = left;
      return done;
    },
  };
  const over: Omit<FailoverContext, 'epoch'> = { ...context, primary: { ...context.primary, flink } };
  return { over, asked };
}

const firstStep = async (world: World) => foldRun(await readRun(world.store, runName(1)))?.steps[0];

test('a job that outlasts its cancellation is ended by force, and what was done is recorded', async () => {
  const world = await started({ primary: 'up', acceptUnfenced: false });
  const before = world.clock.monotonic();
  const { over, asked } = stubborn(world, () => ({ done: ['deleted pod a'], unproven: [], left: false }));
  const report = await failOver(world, { ...over, acceptUnfenced: false });
  expect(report).toMatchObject({ outcome: 'done', unfenced: false });
  expect(asked).toEqual([{ giveUp: false, atMs: expect.any(Number) }]);
  expect((asked[0]?.atMs ?? 0) - before).toBeGreaterThanOrEqual(15_000);
  expect(await firstStep(world)).toMatchObject({ evidence: { stopped: true, forced: ['deleted pod a'] } });
});

test('a pod of a node that does not answer is no proof: refused', async () => {
  const world = await started({ primary: 'up', acceptUnfenced: false });
  const { over } = stubborn(world, () => ({ done: [], unproven: ['pod a on node-1'], left: true }));
  const report = await failOver(world, { ...over, acceptUnfenced: false });
  expect(report).toMatchObject({
    outcome: 'failed',
    pastReturn: false,
    error: { code: 'PrimaryUnfenced', message: expect.stringContaining('pod a on node-1 did not end') },
  });
  expect(world.effects).toEqual([]);
});

test('given up only where a person accepts that it may write, and recorded as not proven', async () => {
  const world = await started({ primary: 'up' });
  const { over, asked } = stubborn(world, () => ({ done: ['gave up pod a'], unproven: ['pod a'], left: false }));
  const report = await failOver(world, over);
  expect(asked[0]?.giveUp).toBe(true);
  expect(report).toMatchObject({ outcome: 'done', unfenced: true, unfencedBecause: expect.stringContaining('pod a') });
  expect(await firstStep(world)).toMatchObject({ evidence: { stopped: false, accepted: true } });
});
