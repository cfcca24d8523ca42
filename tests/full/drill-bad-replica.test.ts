import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import { argus, type DaemonProcess, startDaemon } from '../../lab/demo/argus-command.ts';
import { startTraffic, type TrafficProcess } from '../../lab/demo/traffic.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { openReplica } from '../../replication/checkpoints/replica.ts';
import { flipByte, removeFile, shiftOffset } from '../support/damage-replica.ts';
import { dropMirroredBatch } from '../support/drop-mirrored-batch.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab: its replica stands still, since nothing is mirrored any more, and each damage but the last is mended.
let lab: Lab;
let daemon: DaemonProcess;
let traffic: TrafficProcess;
let store: ObjectStore;
let points: readonly CheckpointManifest[];

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  daemon = startDaemon({ ...settings, env: lab.processEnv('argus/daemon') }, join(lab.dir, 'argus-daemon.log'));
  const { dns, ingestName, ingestPort } = lab.info;
  traffic = startTraffic({
    ...{ resolver: dns.server, name: ingestName, port: ingestPort, rate: 200, keys: 100 },
    ledgerPath: join(lab.dir, 'ledger.jsonl'),
    env: lab.processEnv('outside/traffic'),
  });
  const { bucket, buckets: _, ...access } = lab.info.regions[names.standby].objects;
  store = s3ObjectStore({ ...access, region: 'us-east-1', pathStyle: true, bucket });
  for (
    const until = performance.now() + 90_000;
    (await replicated()) < 4;
    await new Promise((r) => setTimeout(r, 1_000))
  )
    if (performance.now() > until) throw new Error('no 4 checkpoints were replicated within 90 s');
  // No checkpoint any more: those that were copied last are still on the primary. The log goes on behind them.
  await lab.regions[names.primary].kill('taskmanager');
  await new Promise((r) => setTimeout(r, 10_000));
  await traffic.stop();
  await new Promise((r) => setTimeout(r, 2_000));
  await daemon.stop();
  await replicated();
});

afterAll(async () => {
  await traffic?.stop();
  await daemon?.stop();
  await store?.close();
  await lab?.down();
});

/** How many points there are. */
async function replicated(): Promise<number> {
  const replica = await openReplica(store, names.job);
  points = (await replica.read(0, replica.manifests)).points.map(({ manifest }) => manifest);
  return points.length;
}

const newest = (): CheckpointManifest => points[0] as CheckpointManifest;

/** A drill that has to fail; nothing of it may be left. */
async function failing(configPath = lab.configPath): Promise<DrillReport> {
  const run = await argus({ configPath, env: lab.processEnv('argus') }, ['--json', 'drill', 'run', '--yes']);
  expect(run.exitCode, `${run.stderr}${run.stdout}`).toBe(1);
  const report = JSON.parse(run.stdout) as DrillReport;
  expect(report, run.stdout).toMatchObject({ outcome: 'failed', leaks: [] });
  console.log(report.causes.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  return report;
}

/** Keeps what lies under these keys, lets it be damaged, and puts it back. */
async function damaged(keys: readonly string[], work: () => Promise<void>): Promise<void> {
  const kept = await Promise.all(keys.map(async (key) => [key, (await store.get(key))?.body] as const));
  try {
    await work();
  } finally {
    for (const [key, body] of kept) if (body !== undefined) await store.put(key, body);
  }
}

const filesOf = (point: CheckpointManifest) => point.files.map(({ key }) => key);

test('a job with another operator id: it does not take the state of the operator that is named', async () => {
  const config = parse(readFileSync(lab.configPath, 'utf8'));
  config.jobs[0].drill.args[names.standby].push('--counter-uid', 'another-counter');
  const path = join(lab.dir, 'another-counter.yaml');
  writeFileSync(path, stringify(config));
  const { causes } = await failing(path);
  expect(causes[0]).toMatchObject({ code: 'OperatorMissing', job: 'counts' });
});

test('a state file that is gone is named, though an older point could be restored', async () => {
  await damaged(filesOf(newest()), async () => {
    const key = await removeFile(store, newest());
    const { causes } = await failing();
    expect(causes[0]).toMatchObject({ code: 'StateFileMissing', message: expect.stringContaining(key) });
  });
});

test('a byte of a state file that is another is found, and the file is named', async () => {
  await replicated();
  await damaged(filesOf(newest()), async () => {
    const key = await flipByte(store, newest());
    const { causes } = await failing();
    expect(causes[0]).toMatchObject({ code: 'StateFileDamaged', message: expect.stringContaining(key) });
  });
});

test('an offset that was moved, with everything on the replica made to fit, is found', async () => {
  await replicated();
  const { metadata } = newest();
  const manifest = metadata.key.replace(/[^/]+$/, 'manifest.json');
  await damaged([metadata.key, manifest], async () => {
    const { topic, partition } = await shiftOffset(store, newest(), -10n);
    const { causes } = await failing();
    expect(causes[0]).toMatchObject({
      code: 'SourceOffsetDiffers',
      message: expect.stringContaining(`${topic}-${partition}`),
    });
  });
});

test('records that the mirror lacks are found, and their place is named', async () => {
  const { auditor } = lab.info.regions[names.standby].kafka;
  const { partition, offset } = await dropMirroredBatch(auditor, names.events.topic, 20);
  const { causes } = await failing();
  expect(causes).toMatchObject([
    {
      code: expect.stringMatching(/^Record(Missing|Differs)$/),
      message: expect.stringContaining(`${names.events.topic}-${partition} at offset ${offset}`),
    },
  ]);
});
