import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFlink } from '../../lab/components/flink.ts';
import type { LabInfo } from '../../lab/lab-info.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { freePort, type ObjectServer, startObjectServer } from '../support/object-server.ts';

const JOB_ID = '0123456789abcdef0123456789abcdef';

let dir: string;
let objects: ObjectServer | undefined;
let flink: FlinkJobs;
let job: StartJob;
const pids: number[] = [];

beforeAll(async () => {
  const artifacts = await ensureArtifacts();
  dir = await mkdtemp(join(tmpdir(), 'argus-test-flink-'));
  objects = await startObjectServer({ buckets: ['bucket'] });
  const [rest, rpc, blob, taskRpc, taskData, nobody] = await Promise.all(Array.from({ length: 6 }, freePort));
  const url = `http://127.0.0.1:${rest}`;
  const region = {
    address: '127.0.0.1',
    objects: { ...objects, bucket: 'bucket' },
    flink: { rest: url, ports: { rpc, blob, taskRpc, taskData } },
  };
  const info = { id: 'contract', dir, artifacts, regions: { mumbai: region } } as unknown as LabInfo;
  for (const which of ['jobmanager', 'taskmanager'] as const) {
    pids.push((await startFlink(info, 'mumbai', which, { timeoutMs: 90_000 })).pid);
  }
  flink = flinkRestJobs({ region: 'mumbai', url });
  // No broker: the job runs and restarts for ever, which is enough here.
  const args = ['--brokers', `127.0.0.1:${nobody}`, '--in', 'events', '--out', 'metrics', '--group', 'counts'];
  job = {
    jarPath: artifacts.jobJar,
    entryClass: 'argus.lab.CountsJob',
    args: [...args, '--txid', 'counts-mumbai'],
    parallelism: 1,
  };
});

afterAll(async () => {
  for (const pid of pids) process.kill(-pid, 'SIGKILL');
  await objects?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

async function until(state: (jobState: string) => boolean, id: string): Promise<string> {
  for (;;) {
    const found = (await flink.list()).find((each) => each.id === id);
    if (found !== undefined && state(found.state)) return found.state;
    await sleep(200);
  }
}

test('an idle cluster has slots and no job', async () => {
  // The TaskManager reports its slots some time after the REST interface answers.
  await expect.poll(() => flink.slots(), { timeout: 30_000 }).toEqual({ free: 4, total: 4 });
  expect(await flink.list()).toEqual([]);
});

test('a job that nobody started is missing', async () => {
  await expect(flink.checkpoints('f'.repeat(32))).rejects.toMatchObject({ code: 'JobMissing' });
  await expect(flink.cancel('f'.repeat(32))).rejects.toMatchObject({ code: 'JobMissing' });
  await expect(flink.settings('f'.repeat(32))).rejects.toMatchObject({ code: 'JobMissing' });
});

test('a job is started under the given id once, seen, and cancelled, the second time without effect', async () => {
  expect(await flink.start({ ...job, jobId: JOB_ID })).toEqual({ jobId: JOB_ID });
  await until((state) => state === 'RUNNING' || state === 'RESTARTING', JOB_ID);
  expect(await flink.checkpoints(JOB_ID)).toMatchObject({ completedCount: 0 });
  expect(await flink.settings(JOB_ID)).toMatchObject({
    flinkVersion: expect.stringMatching(/^2\./),
    checkpointing: {
      mode: 'exactly_once',
      intervalMs: 5_000,
      timeoutMs: 60_000,
      whenEnded: 'kept',
      storage: 'FileSystemCheckpointStorage',
      unaligned: false,
      changelog: false,
    },
    cluster: expect.any(Map),
    operators: expect.arrayContaining(['Source: events', 'counts: Writer', 'counts: Committer']),
  });
  expect((await flink.settings(JOB_ID)).cluster.get('execution.checkpointing.num-retained')).toBe('3');
  await expect(flink.start({ ...job, jobId: JOB_ID })).rejects.toMatchObject({
    code: 'FlinkRefused',
    message: expect.stringContaining('DuplicateJobSubmission'),
  });
  await flink.cancel(JOB_ID);
  expect(await until((state) => state === 'CANCELED', JOB_ID)).toBe('CANCELED');
  await flink.cancel(JOB_ID);
});

test('a start from a checkpoint that does not exist is refused, or fails with that cause', async () => {
  const jobId = 'a'.repeat(32);
  const refused = await flink
    .start({ ...job, jobId, savepointPath: 's3://bucket/no/such/point' })
    .then(() => undefined)
    .catch((error: Error) => error.message);
  if (refused === undefined) await until((state) => state === 'FAILED', jobId);
  expect(refused ?? (await flink.failureOf(jobId))).toMatch(
    /Cannot find checkpoint or savepoint|No such file|FileNotFound/,
  );
});
