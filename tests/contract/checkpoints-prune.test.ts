import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acquireReplicationLease } from '../../daemon/replication-lease.ts';
import { wallClock as clock } from '../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { putFullSample, putFullSampleAs } from '../support/checkpoint-bucket.ts';
import { type CheckpointRegions, startCheckpointRegions } from '../support/checkpoint-regions.ts';

const job = 'counts';
let regions: CheckpointRegions;
let flink: Server;
let flinkAnswers = true;

/** Four checkpoints on the replica, of which two stay; the standby's Flink has no jobs. */
beforeAll(async () => {
  flink = createServer((_, response) => {
    if (!flinkAnswers) response.statusCode = 503;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jobs: [] }));
  });
  flink.listen(0, '127.0.0.1');
  await once(flink, 'listening');
  const rest = `rest: http://127.0.0.1:${(flink.address() as AddressInfo).port}`;
  regions = await startCheckpointRegions({
    changes: [
      ['rest: http://127.0.2.1:8081', rest],
      ['prefix: checkpoints\n', 'prefix: checkpoints\n      retention: { keep: 2 }\n'],
    ],
  });
  const { source, target } = regions;
  await putFullSample(source);
  for (const id of [5, 6, 7]) await putFullSampleAs(source, id);
  const sync = createCheckpointSync({ job, prefix: 'checkpoints', source, target, clock });
  while ((await sync.step()).more);
  expect(await points()).toEqual([4, 5, 6, 7]);
});

afterAll(async () => {
  await regions?.stop();
  flink?.close();
});

async function points(): Promise<readonly number[]> {
  return (await listReplica(regions.target, job)).points.map((p) => p.manifest.checkpointId).sort();
}

async function keys(): Promise<readonly string[]> {
  return (await regions.target.list('')).objects.map(({ key }) => key);
}

/** The command, which must leave every object of the replica as it is. */
async function harmless(code: number, ...args: readonly string[]) {
  const before = await keys();
  const ended = await regions.checkpoints('prune', ...args);
  expect(ended.code, ended.stderr).toBe(code);
  expect(await keys()).toEqual(before);
  return ended;
}

test('prune shows, asks, deletes, and has nothing to do the second time', async () => {
  const planned = JSON.parse((await harmless(0, '--dry-run', '--json')).stdout);
  expect(planned).toMatchObject({ region: 'singapore', done: false, jobs: [{ job, blocked: null }] });
  const ids = (list: readonly { readonly checkpointId: number }[]) => list.map((p) => p.checkpointId).sort();
  expect([ids(planned.jobs[0].kept), ids(planned.jobs[0].removed)]).toEqual([
    [6, 7],
    [4, 5],
  ]);

  const people = await harmless(0, '--dry-run', '--job', job);
  expect(people.stdout).toMatch(/^counts on singapore: 2 checkpoints go, 2 checkpoints stay; \d+ bytes go\n/);

  // Not harmless(): an object is written, so that the store tells its time.
  const asked = await regions.checkpoints('prune');
  expect(asked).toMatchObject({ code: 4, stdout: '' });
  expect(asked.stderr).toMatch(/^counts on singapore: 2 checkpoints go/);
  expect(asked.stderr).toContain('nobody can be asked');
  expect(await points()).toEqual([4, 5, 6, 7]);

  const done = await regions.checkpoints('prune', '--yes', '--json');
  expect(done.code, done.stderr).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ done: true, jobs: [{ job, bytes: planned.jobs[0].bytes }] });
  expect(await points()).toEqual([6, 7]);
  const verified = await regions.checkpoints('verify', '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });

  const again = JSON.parse((await harmless(0, '--yes', '--json')).stdout);
  expect(again.jobs[0]).toMatchObject({ removed: [], files: [], orphans: [], bytes: 0 });
});

test('nothing goes while the standby’s Flink can’t be asked what it reads', async () => {
  flinkAnswers = false;
  try {
    expect((await harmless(1, '--yes')).stderr).toContain('Flink');
  } finally {
    flinkAnswers = true;
  }
});

test('beside who replicates it is refused, and still shows', async () => {
  const state = fileObjectStore(regions.stateFolder);
  const parts = { state, clock, holder: 'daemon of the test' };
  const lease = await acquireReplicationLease(parts, 'daemon', AbortSignal.timeout(30_000));
  const stop = lease.keepRenewed();
  try {
    expect((await harmless(3, '--yes')).stderr).toContain('daemon of the test');
    await harmless(0, '--dry-run');
  } finally {
    await stop();
    await lease.release();
  }
});

test('a job that is not configured is a mistake of usage', async () => {
  await harmless(2, '--job', 'other', '--yes');
});
