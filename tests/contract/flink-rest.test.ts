import { openAsBlob } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFlink } from '../../lab/components/flink.ts';
import type { LabInfo } from '../../lab/lab-info.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import type { FlinkJobs, StartJob } from '../../regions/flink/flink-jobs.ts';
import { uploadName } from '../../regions/flink/flink-rest-jars.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { freePort, type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { flinkJobsContract } from './flink-jobs.suite.ts';

const JOB_ID = 'fedcba9876543210fedcba9876543210';

let dir: string;
let objects: ObjectServer | undefined;
let flink: FlinkJobs;
let url: string;
let job: StartJob;
const pids: number[] = [];

beforeAll(async () => {
  const artifacts = await ensureArtifacts();
  dir = await mkdtemp(join(tmpdir(), 'argus-test-flink-'));
  objects = await startObjectServer({ buckets: ['bucket'] });
  const [rest, rpc, blob, taskRpc, taskData, nobody] = await Promise.all(Array.from({ length: 6 }, freePort));
  url = `http://127.0.0.1:${rest}`;
  const region = {
    address: '127.0.0.1',
    kafka: {},
    objects: { ...objects, bucket: 'bucket' },
    flink: { rest: url, ports: { rpc, blob, taskRpc, taskData } },
  };
  const release = { version: '2.2', settings: {} };
  const info = { id: 'contract', dir, artifacts, flink: release, regions: { mumbai: region } } as unknown as LabInfo;
  for (const which of ['jobmanager', 'taskmanager'] as const) {
    pids.push((await startFlink(info, 'mumbai', which, { timeoutMs: 240_000 })).pid);
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

flinkJobsContract(() => ({ flink, job }));

test('what Flink itself tells of a job and of a second start', async () => {
  await flink.start({ ...job, jobId: JOB_ID });
  await expect.poll(async () => (await flink.list()).find((each) => each.id === JOB_ID)?.state).toBeDefined();
  expect(await flink.settings(JOB_ID)).toMatchObject({
    flinkVersion: expect.stringMatching(/^2\./),
    checkpointing: { storage: 'FileSystemCheckpointStorage', unaligned: false, changelog: false },
    operators: expect.arrayContaining(['counts: Committer']),
  });
  await expect(flink.start({ ...job, jobId: JOB_ID })).rejects.toMatchObject({
    message: expect.stringContaining('DuplicateJobSubmission'),
  });
  await flink.cancel(JOB_ID);
  const state = async () => (await flink.list()).find((each) => each.id === JOB_ID)?.state;
  await expect.poll(state).toBe('CANCELED');
});

test('a job that is given a folder for its checkpoints of its own uses that, not its cluster`s', async () => {
  const jobId = 'd4111d4111'.padEnd(32, '0');
  const folder = join(dir, 'own-checkpoints');
  await flink.start({ ...job, jobId, configuration: { 'execution.checkpointing.dir': `file://${folder}` } });
  await expect.poll(() => readdir(folder).catch(() => [])).toEqual([jobId]);
  await flink.cancel(jobId);
});

test('the jar of a start that died is found by its job, and removed once and again', async () => {
  await flink.start({ ...job, jobId: 'b'.repeat(32) });
  expect(await flink.uploads?.()).toEqual([]);
  await flink.cancel('b'.repeat(32));
  const jobId = 'd4111d4111'.padEnd(32, '1');
  const body = new FormData();
  body.append('jarfile', await openAsBlob(job.jarPath), uploadName({ ...job, jobId }));
  expect((await fetch(`${url}/jars/upload`, { method: 'POST', body })).status).toBe(200);
  const found = await flink.uploads?.();
  expect(found).toEqual([{ id: expect.stringContaining(jobId), jobId }]);
  for (let n = 0; n < 2; n++) await flink.removeUpload?.(found?.[0]?.id ?? '');
  expect(await flink.uploads?.()).toEqual([]);
});
