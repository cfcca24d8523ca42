import { setTimeout as sleep } from 'node:timers/promises';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorClient, topicEnds } from '../../lab/auditor/read-topic.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { jobArgs } from '../../lab/lab-config.ts';
import { names } from '../../lab/lab-info.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { startTestLab } from '../support/whole-lab.ts';

// What the lab must be loud about: a quiet one would make every count of it worthless.
let lab: Lab;

beforeAll(async () => {
  lab = await startTestLab();
});
afterAll(() => lab?.down());

async function until<T>(what: string, look: () => Promise<T | undefined>, forMs = 30_000): Promise<T> {
  for (const deadline = Date.now() + forMs; ; await sleep(200)) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${forMs} ms`);
  }
}

test('a job whose group has no committed offset does not start somewhere else: it fails, and names what is missing', async () => {
  await mayRead('nobody');
  const flink = flinkRestJobs({ region: names.primary, url: lab.info.regions.mumbai.flink.rest });
  const args = jobArgs(lab.info, 'mumbai').map((arg) => (arg === names.consumerGroup ? 'nobody' : arg));
  const { jobId } = await flink.start({
    jarPath: lab.info.artifacts.jobJar,
    entryClass: names.jobClass,
    parallelism: names.parallelism,
    args: args.map((arg) => (arg === 'counts-mumbai' ? 'counts-nobody-mumbai' : arg)),
  });
  const failure = await until('a failure', () => flink.failureOf(jobId));
  expect(failure).toMatch(/NoOffsetForPartitionException.*no reset policy.*events-\d/);
  await flink.cancel(jobId);
});

/** Lets the job's user read as this group: what it lacks shall be the offsets. */
async function mayRead(group: string): Promise<void> {
  const admin = auditorClient(lab.info.regions.mumbai.kafka.auditor).admin();
  await admin.connect();
  try {
    const rule = {
      resourceType: AclResourceTypes.GROUP,
      resourceName: group,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:job',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.ALLOW,
    };
    await admin.createAcls({ acl: [rule] });
  } finally {
    await admin.disconnect();
  }
}

/** Posts one event to the primary's ingest; the HTTP status, or `silent` after the time. */
async function post(id: string, forMs: number): Promise<number | 'silent'> {
  try {
    const response = await fetch(`${lab.info.regions.mumbai.ingest.direct}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ id, key: 'k', seq: 1 }]),
      signal: AbortSignal.timeout(forMs),
    });
    return response.status;
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return 'silent';
    throw error;
  }
}

async function eventsWritten(): Promise<number> {
  const admin = auditorClient(lab.info.regions.mumbai.kafka.auditor).admin();
  await admin.connect();
  try {
    return (await topicEnds(admin, names.events.topic)).reduce((sum, { end }) => sum + end, 0);
  } finally {
    await admin.disconnect();
  }
}

test('the ingest answers 202 when Kafka has acknowledged, not before, and 503 without Kafka', async () => {
  const { mumbai } = lab.regions;
  expect(await post('first', 10_000)).toBe(202);
  expect(await eventsWritten()).toBe(1);

  await mumbai.freeze('kafka');
  const waiting = post('second', 25_000);
  expect(await Promise.race([waiting, sleep(3_000, 'no answer yet')])).toBe('no answer yet');
  await mumbai.thaw('kafka');
  expect(await waiting).toBe(202);
  expect(await eventsWritten()).toBe(2);

  await mumbai.kill('kafka');
  expect(await post('third', 10_000)).toBe(503);
});

test('a second lab in the same folder is refused with exit code 3, and the first goes on', async () => {
  await expect(startLab({ dir: lab.dir })).rejects.toMatchObject({
    code: 'LabRunning',
    exitCode: 3,
    hint: expect.stringContaining('lab -- down'),
  });
  expect((await lab.regions.singapore.status()).every((c) => c.answers)).toBe(true);
});
