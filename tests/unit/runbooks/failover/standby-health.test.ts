import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { FlinkJobs, JobHealth } from '../../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { reasonToGiveUp, watchHealth } from '../../../../runbooks/failover/give-up.ts';
import { confirmJobs } from '../../../../runbooks/failover/steps/confirm-jobs.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { manifest, runName, type World } from './world.ts';

const health = (over: Partial<JobHealth> = {}): JobHealth => ({
  kind: 'settling',
  restarts: 0,
  remake: false,
  says: {},
  ...over,
});
const noQuota = health({ kind: 'troubled', why: 'no pod can be made: exceeded quota', remake: true });

describe('waiting for a job', () => {
  const watching = (...looks: readonly (readonly [number, JobHealth])[]) =>
    looks.reduce<{ seen?: ReturnType<typeof watchHealth>; why?: string | undefined }>(({ seen }, [atMs, now]) => {
      const next = watchHealth(seen, now, atMs);
      return { seen: next, why: reasonToGiveUp(next, now, atMs) };
    }, {}).why;

  test('goes on while nothing is against it, and while something may pass', () => {
    expect(watching([0, health()], [600_000, health({ why: 'no node takes pod a' })])).toBeUndefined();
    expect(watching([0, noQuota], [44_000, noQuota])).toBeUndefined();
  });

  test('ends at once without hope', () => {
    expect(watching([0, health({ kind: 'hopeless', why: 'Cannot find checkpoint' })])).toBe('Cannot find checkpoint');
  });

  test('ends when trouble lasts, and not when it comes and goes', () => {
    expect(watching([0, noQuota], [45_000, noQuota])).toBe('no pod can be made: exceeded quota (for 45 s)');
    expect(watching([0, noQuota], [30_000, health()], [60_000, noQuota])).toBeUndefined();
  });

  test('ends when its processes start again and again, whatever else is said', () => {
    const at = (restarts: number) => health({ restarts, why: 'the JobManager has restarted' });
    expect(watching([0, at(2)], [10_000, at(4)])).toBeUndefined();
    expect(watching([0, at(2)], [10_000, at(5)])).toContain('started again 3 times');
  });
});

/** A standby with a platform below Flink, on which a job runs only once it is mended. */
function withPlatform(world: World, sick: JobHealth) {
  const context = confirming(world);
  const real = context.standby.flink;
  const platform = { mended: false, cancelled: 0 };
  const started = new Map<string, boolean>();
  const runs = () => [...started].filter(([, runs]) => runs);
  const silent = () => Promise.reject(new ArgusError('FlinkUnreachable', 'no JobManager', { retryable: true }));
  const flink: FlinkJobs = {
    ...real,
    list: async () =>
      [...started].map(([id, up]) => ({ id, name: 'counts', state: up ? 'RUNNING' : 'INITIALIZING', startedAtMs: 1 })),
    start: async (job) => {
      started.set(job.jobId ?? '', platform.mended);
      world.effects.push('made');
      return platform.mended ? real.start(job) : { jobId: job.jobId ?? '' };
    },
    cancel: async (id) => {
      platform.cancelled += 1;
      started.delete(id);
    },
    checkpoints: async (id) => (runs().length > 0 ? real.checkpoints(id) : silent()),
    health: async () => (runs().length > 0 ? health({ kind: 'sound' }) : sick),
  };
  const over: Omit<FailoverContext, 'epoch'> = { ...context, standby: { ...context.standby, flink } };
  return { over, platform };
}

test('a job that does not come up fails with its cause long before the deadline, and the next run makes it anew', async () => {
  const world = await started();
  const { over, platform } = withPlatform(world, noQuota);
  const before = world.clock.monotonic();
  const failed = await failOver(world, over);
  expect(failed).toMatchObject({
    outcome: 'failed',
    pastReturn: true,
    error: {
      code: 'JobFailed',
      message: 'counts does not run on singapore: no pod can be made: exceeded quota (for 45 s)',
      hint: 'mend that, then run `argus failover` again: it starts the job anew',
    },
  });
  expect(world.clock.monotonic() - before).toBeLessThan(70_000);
  platform.mended = true;
  const again = await failOver(world, { ...over, run: runName(2), resumes: runName(1) });
  expect(again).toMatchObject({ outcome: 'done' });
  expect(platform.cancelled).toBe(1);
  expect(world.effects.filter((each) => each === 'made')).toHaveLength(2);
});

test('what has run is never made anew, whatever is said of it', async () => {
  const world = await started();
  const { over, platform } = withPlatform(world, { ...noQuota, remake: false });
  expect(await failOver(world, over)).toMatchObject({
    outcome: 'failed',
    error: { hint: expect.stringContaining('it goes on waiting') },
  });
  const again = failOver(world, { ...over, run: runName(2), resumes: runName(1) });
  expect(await again).toMatchObject({ outcome: 'failed' });
  expect(platform.cancelled).toBe(0);
});

test('a point whose metadata is gone is not given to Flink', async () => {
  const world = await started();
  const context = confirming(world);
  const bucket = memoryObjectStore('replica');
  const objects = { ...bucket, uri: 's3://checkpoints-singapore' };
  await bucket.put(
    'argus/replica/counts/points/7/manifest.json',
    Buffer.from(JSON.stringify({ ...manifest, needsClaim: false })),
  );
  const over = { ...context, standby: { ...context.standby, objects } };
  expect(await failOver(world, over)).toMatchObject({
    outcome: 'failed',
    error: { code: 'PointGone', message: expect.stringContaining("is not in singapore's bucket") },
  });
  expect(world.effects).not.toContain(`start ${manifest.replicaUri}`);
});

describe('the confirmation at the end', () => {
  const look = async (now: Partial<JobHealth>) => {
    const { context } = await started();
    const flink: FlinkJobs = { ...context.standby.flink, health: async () => health(now) };
    const signal = AbortSignal.timeout(5_000);
    const io = { clock: context.clock, signal, check: () => undefined, progress: () => undefined };
    const step = confirmJobs({ title: '', manual: [] });
    const whole = { ...context, epoch: 2, standby: { ...context.standby, flink } };
    return await step.verify(whole, { startedJobs: { counts: 'a' } }, io);
  };

  test('waits for the word of the platform, and tells what is missing of it', async () => {
    expect(await look({ why: 'the operator says DEPLOYED of its FlinkDeployment' })).toEqual({
      kind: 'pending',
      waitingFor: 'counts runs, but the operator says DEPLOYED of its FlinkDeployment',
    });
  });

  test('has it in its evidence', async () => {
    expect(await look({ kind: 'sound', restarts: 1, says: { jobManager: 'READY', lifecycle: 'STABLE' } })).toEqual({
      kind: 'done',
      evidence: { counts: { jobManager: 'READY', lifecycle: 'STABLE', restarts: 1 } },
    });
  });
});
