// The real `argus failover` between a dark primary and a standby of a real broker, a real S3 server and the lab's DNS;
// of Flink there is only what lists no jobs. Nothing is ever started: what is refused, and why, is the subject.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { argus } from '../../lab/demo/argus-command.ts';
import { cloudflareRecords } from '../../regions/dns/cloudflare-records.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { kafkajsClient } from '../support/mirror-pair.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { putPoint } from '../unit/replication/recovery-point/point-sample.ts';

const name = 'ingest.argus.test';
let folder: string;
let broker: TestBroker;
let objects: ObjectServer;
let store: ObjectStore;
let flink: Server;
let dns: ChildProcess;
let apiUrl: string;
/** Task slots that the standby's Flink has free. */
let slots = 4;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-failover-'));
  const entry = fileURLToPath(new URL('../../lab/cloudflare/cloudflare-process.ts', import.meta.url));
  const options = `--api-port 0 --dns-port 0 --zone argus.test --token t0ken --record ${name}=127.0.1.1`.split(' ');
  dns = spawn(process.execPath, [entry, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = new Promise<{ apiPort: number; dnsPort: number }>((resolve, reject) => {
    dns.stdout!.setEncoding('utf8').once('data', (line: string) => resolve(JSON.parse(line)));
    dns.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  flink = createServer((request, response) => {
    const answer = request.url?.startsWith('/jobs')
      ? { jobs: [] }
      : { 'slots-available': slots, 'slots-total': 4, taskmanagers: 1, 'flink-version': '2.2.1' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => flink.listen(0, '127.0.0.1', resolve));
  [broker, objects] = await Promise.all([startTestBroker({}), startObjectServer({ buckets: ['replica', 'primary'] })]);
  const { endpoint, accessKeyId, secretAccessKey } = objects;
  store = s3ObjectStore({
    endpoint,
    region: 'us-east-1',
    pathStyle: true,
    accessKeyId,
    secretAccessKey,
    bucket: 'replica',
  });
  const admin = kafkajsClient(broker).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: 'events', numPartitions: 1, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  const { apiPort, dnsPort } = await ready;
  apiUrl = `http://127.0.0.1:${apiPort}/client/v4`;
  const region = (address: string, kafka: string, s3: string, bucket: string, rest: string) => `
    address: ${address}
    kafka: { bootstrap: ["${kafka}"] }
    objects: { endpoint: "${s3}", region: us-east-1, bucket: ${bucket}, accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY }
    flink: { rest: "${rest}" }`;
  const rest = `http://127.0.0.1:${(flink.address() as AddressInfo).port}`;
  await writeFile(join(folder, 'counts.jar'), 'jar');
  await writeFile(
    join(folder, 'argus.yaml'),
    `regions:
  mumbai:${region('127.0.1.1', '127.0.1.1:9', 'http://127.0.1.1:9', 'primary', 'http://127.0.1.1:8081')}
  singapore:${region('127.0.2.1', broker.address, endpoint, 'replica', rest)}
roles: { primary: mumbai, standby: singapore }
topics: [events]
jobs:
  - name: counts
    checkpoints: { prefix: checkpoints }
    consumerGroup: counts
    submit: { jar: counts.jar, entryClass: a.Counts, parallelism: 2, args: { mumbai: [], singapore: [] } }
dns:
  cloudflare: { zone: argus.test, token: env:TOKEN, apiUrl: "${apiUrl}" }
  records: [{ name: ${name} }]
  resolvers: ["127.0.0.1:${dnsPort}"]
state: file:./state
`,
  );
});

afterAll(async () => {
  dns?.kill('SIGTERM');
  flink?.close();
  await Promise.all([broker?.stop(), store?.close(), objects?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const call = async (...args: readonly string[]) => {
  const env = { S3_ID: objects.accessKeyId, S3_KEY: objects.secretAccessKey, TOKEN: 't0ken' };
  const done = await argus({ configPath: join(folder, 'argus.yaml'), env }, ['--json', ...args]);
  const last = done.stderr
    .trimEnd()
    .split('\n')
    .findLast((line) => line.startsWith('{"error"'));
  const error: { code?: string; message?: string; hint?: string } = last === undefined ? {} : JSON.parse(last).error;
  return { ...done, error };
};
const put = (id: number, offset: string) =>
  putPoint(store, 'counts', id, { sourceOffsets: [{ topic: 'events', partition: 0, offset }] });
const file = (of: string) => join(folder, of);

describe('argus failover with a dark primary', () => {
  test('is refused for want of a recovery point, of room, and of proof that the primary stands still', async () => {
    const refusals: (string | undefined)[] = [];
    const refused = async (...more: readonly string[]) => {
      const { exitCode, error } = await call('failover', '--yes', ...more);
      expect(exitCode).toBe(3);
      expect(error.hint).toMatch(/\w/);
      refusals.push(error.code);
    };
    await refused('--accept-unfenced');
    await put(1, '0');
    slots = 1;
    await refused('--accept-unfenced');
    slots = 4;
    await refused('--reason', 'the region is dark');
    expect(refusals).toEqual(['NoRecoveryPoint', 'NoSlots', 'PrimaryUnfenced']);
    const { stdout } = await call('runs', 'list');
    expect(stdout).toContain('PrimaryUnfenced');
    expect(stdout).toContain('the region is dark');
  });

  test('needs a person for a loss that nobody can tell, and takes no limit for it', async () => {
    const [alone, limited] = await Promise.all([
      call('failover', '--yes', '--accept-unfenced'),
      call('failover', '--yes', '--accept-unfenced', '--accept-data-loss', '5m'),
    ]);
    expect(alone).toMatchObject({ exitCode: 4, error: { code: 'LossAboveBudget' } });
    expect(limited).toMatchObject({ exitCode: 3, error: { code: 'LossAboveBudget' } });
    expect(limited.error.hint).toContain('--accept-data-loss unknown');
  });

  test('writes its plan for review, which holds although a newer checkpoint comes', async () => {
    expect(await call('failover', '--accept-unfenced', '--plan-out', file('plan.json'))).toMatchObject({ exitCode: 0 });
    const [held, again] = await Promise.all([
      call('failover', '--plan', file('plan.json'), '--dry-run'),
      call('failover', '--accept-unfenced', '--plan-out', file('plan.json')),
    ]);
    expect(held.exitCode).toBe(0);
    expect(again).toMatchObject({ exitCode: 2, error: { code: 'PlanNotWritten' } });
    await put(2, '0');
    const [reviewed, free] = await Promise.all([
      call('failover', '--plan', file('plan.json'), '--dry-run'),
      call('failover', '--accept-unfenced', '--dry-run'),
    ]);
    expect(reviewed.exitCode).toBe(0);
    expect(JSON.parse(reviewed.stdout).recoveryPoints).toMatchObject([{ checkpointId: 1 }]);
    expect(JSON.parse(free.stdout).recoveryPoints).toMatchObject([{ checkpointId: 2 }]);
  });

  test('refuses a plan that was changed, and one whose world has moved, naming what', async () => {
    const plan = await readFile(file('plan.json'), 'utf8');
    await writeFile(file('changed.json'), plan.replace('"checkpointId": 1', '"checkpointId": 2'));
    const changed = await call('failover', '--plan', file('changed.json'), '--yes');
    expect(changed).toMatchObject({ exitCode: 2, error: { code: 'PlanInvalid' } });
    const names = cloudflareRecords({ zone: 'argus.test', token: 't0ken', apiUrl });
    const [record] = await names.find(name, 'A');
    await names.setContent(record!.id, '127.0.2.1');
    const moved = await call('failover', '--plan', file('plan.json'), '--yes');
    expect(moved).toMatchObject({ exitCode: 3, error: { code: 'PlanStale' } });
    expect(moved.error.message).toMatch(
      /record ingest\.argus\.test: was .* holds 127\.0\.1\.1, is .* holds 127\.0\.2\.1$/,
    );
    await names.setContent(record!.id, '127.0.1.1');
    const { objects: found } = await store.list('argus/replica/counts/points/');
    const [manifest] = found.filter((o) => o.key.endsWith('-0000000001/manifest.json'));
    await store.delete(manifest!.key);
    const gone = await call('failover', '--plan', file('plan.json'), '--yes');
    expect(gone.error.message).toContain('recovery point of counts: was checkpoint 1');
  });

  test('is rehearsed by a tabletop, whose report names what each region runs, as far as it answers', async () => {
    expect(await call('drill', 'run', '--plan-only')).toMatchObject({ exitCode: 1 });
    const { stdout } = await call('report', 'show', 'latest');
    expect(JSON.parse(stdout)).toMatchObject({
      drill: 'tabletop',
      versions: {
        platform: [
          { region: 'mumbai', text: 'Kafka not seen · Flink not seen' },
          // Each is waited for 2 s, which a busy machine may take longer than.
          {
            region: 'singapore',
            text: expect.stringMatching(/^Kafka (4\.3 \(metadata\.version 30\)|not seen) · Flink (2\.2\.1|not seen)$/),
          },
        ],
      },
    });
  });

  test('has a runbook with the values of now', async () => {
    const { exitCode, stdout } = await call('runbook', 'show', 'failover', '--markdown');
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.unknown).toEqual(['jobs on mumbai']);
    expect(document.now.join('\n')).toContain('recovery point of counts: checkpoint 2');
    const now = document.refusals.filter((r: { now?: string }) => r.now !== undefined);
    expect(now.map((r: { code: string }) => r.code)).toEqual(['PrimaryUnfenced']);
  });
});
