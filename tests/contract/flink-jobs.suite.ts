import { expect, test } from 'vitest';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';

/** One way to a region's Flink, with a job that it can start. */
export interface FlinkSubject {
  readonly flink: FlinkJobs;
  readonly job: StartJob;
}

const unknown = 'f'.repeat(32);
const ended = ['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED'];
const patience = { timeout: 60_000, interval: 200 };

/** What every implementation of `FlinkJobs` keeps. Nothing runs at its beginning, and nothing at its end. */
export function flinkJobsContract(subject: () => FlinkSubject): void {
  const stateOf = async (jobId: string) => (await subject().flink.list()).find((job) => job.id === jobId)?.state;

  test('has slots for the job, and no job', async () => {
    const { flink, job } = subject();
    // A TaskManager reports its slots some time after the REST interface answers.
    await expect.poll(async () => (await flink.slots()).free, patience).toBeGreaterThanOrEqual(job.parallelism);
    expect(await flink.list()).toEqual([]);
    // Also where nothing runs: of the cluster, or as it is declared.
    expect(await flink.versions?.()).toEqual([
      expect.objectContaining({ version: expect.stringMatching(/^\d+\.\d+/) }),
    ]);
  });

  test('a job that nobody started is missing', async () => {
    const { flink } = subject();
    const missing = { code: 'JobMissing' };
    await expect(flink.checkpoints(unknown)).rejects.toMatchObject(missing);
    await expect(flink.snapshots(unknown)).rejects.toMatchObject(missing);
    await expect(flink.settings(unknown)).rejects.toMatchObject(missing);
    await expect(flink.cancel(unknown)).rejects.toMatchObject(missing);
  });

  test('a job is started under the given id once, seen, and ended, the second time without effect', async () => {
    const { flink, job } = subject();
    const jobId = '0123456789abcdef0123456789abcdef';
    expect(await flink.start({ ...job, jobId })).toEqual({ jobId });
    await expect.poll(() => stateOf(jobId), patience).toMatch(/RUNNING|RESTARTING/);
    expect((await flink.checkpoints(jobId)).failedCount).toBeGreaterThanOrEqual(0);
    expect(await flink.settings(jobId)).toMatchObject({
      flinkVersion: expect.stringMatching(/^\d+\.\d+/),
      checkpointing: { mode: 'exactly_once', intervalMs: 5_000, timeoutMs: 60_000, whenEnded: 'kept' },
      operators: expect.arrayContaining(['Source: events', 'counts: Writer']),
    });
    expect((await flink.settings(jobId)).cluster.get('execution.checkpointing.num-retained')).toBe('3');
    await expect
      .poll(() => flink.versions?.(), patience)
      .toEqual([{ version: expect.stringMatching(/^\d+\.\d+\.\d+/) }]);
    await expect(flink.start({ ...job, jobId })).rejects.toMatchObject({ code: 'FlinkRefused', retryable: false });
    await flink.cancel(jobId);
    const over = async () => {
      const state = await stateOf(jobId);
      return state === undefined || ended.includes(state);
    };
    await expect.poll(over, patience).toBe(true);
    await flink.cancel(jobId);
  });

  test('a start from a checkpoint that does not exist is refused, or does not run and says why', async () => {
    const { flink, job } = subject();
    const jobId = 'a'.repeat(32);
    const cause = /Cannot find checkpoint or savepoint|No such file|FileNotFound/;
    const refused = await flink
      .start({ ...job, jobId, savepointPath: 's3://bucket/no/such/point' })
      .then(() => undefined)
      .catch((error: Error) => error.message);
    if (refused !== undefined) return expect(refused).toMatch(cause);
    await expect.poll(async () => (await flink.failureOf(jobId)) ?? '', patience).toMatch(cause);
    expect(await stateOf(jobId)).not.toBe('RUNNING');
    await flink.cancel(jobId);
  });
}
