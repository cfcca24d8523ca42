import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { putClaim, readGuardWord, withdrawClaim } from '../../state/guard.ts';
import { readKafkaFence } from '../../state/kafka-fence.ts';
import { writeRoles } from '../../state/roles.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { config } from '../unit/runbooks/failover/world.ts';

const topic = 'events';
const main = join(import.meta.dirname, '../../cli/main.ts');
const fenceTtlMs = 8_000;
const claim = { run: 'a-failover', by: 'test', atMs: 1 };

let folder: string;
let secure: SecureBroker;
let operator: PlatformaticAdmin;
let guard: ChildProcess;
let said = '';
let producer: Producer;
/** When each record was acknowledged. */
const acknowledged: number[] = [];
let attempts = 0;
let writing = true;
let feed: Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-guard-test-'));
  secure = await startSecureBroker({ users: ['argus', 'ingest', 'counts'] });
  operator = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [secure.broker.address] });
  const rule = { patternType: 'literal', host: '*', permission: 'ALLOW' } as const;
  await operator.createTopic({ name: topic, partitions: 1, configs: {} });
  await operator.createAcls([
    { ...rule, resourceType: 'topic', resourceName: topic, principal: 'User:ingest', operation: 'WRITE' },
    { ...rule, resourceType: 'topic', resourceName: topic, principal: 'User:argus', operation: 'DESCRIBE' },
    { ...rule, resourceType: 'cluster', resourceName: 'kafka-cluster', principal: 'User:argus', operation: 'ALTER' },
  ]);
  await writeFile(join(folder, 'ca.pem'), secure.ca.cert);
  const kafka = {
    bootstrap: [secure.secureAddress],
    tls: { ca: 'ca.pem' },
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'argus', password: 'env:ARGUS_PASSWORD' },
    fence: {
      producers: [{ principal: 'User:ingest', login: { username: 'ingest', password: 'env:INGEST_PASSWORD' } }],
      jobs: [{ principal: 'User:counts', login: { username: 'counts', password: 'env:COUNTS_PASSWORD' } }],
      still: '300ms',
    },
  };
  const { regions, dns, jobs, roles } = config;
  const yaml = {
    regions: Object.fromEntries(Object.entries(regions).map(([name, region]) => [name, { ...region, kafka }])),
    roles,
    topics: [topic],
    jobs: jobs.map(({ name, consumerGroup, submit }) => ({
      name,
      consumerGroup,
      submit,
      checkpoints: { prefix: 'checkpoints' },
    })),
    dns,
    state: 'file:./state',
    guard: { witness: 'file:./witness', fenceTtl: `${fenceTtlMs}ms`, skew: '1s', lease: '12s' },
  };
  await writeFile(join(folder, 'argus.yaml'), stringify(yaml, { aliasDuplicateObjects: false }));
  await writeRoles(state(), {
    epoch: 1,
    primary: 'mumbai',
    standby: 'singapore',
    replication: 'active',
    atMs: 1,
    by: '',
  });
  // The folder has to be there: one that is missing is an empty place, not one that can't be reached.
  await withdrawClaim(witness(), 'mumbai', 9);
  await putClaim(witness(), 'elsewhere', 1, claim);

  producer = new Kafka({
    brokers: [secure.secureAddress],
    ssl: { ca: [secure.ca.cert] },
    sasl: { mechanism: 'scram-sha-512', username: 'ingest', password: 'ingest-password' },
    logLevel: logLevel.NOTHING,
  }).producer({ retry: { retries: 0 } });
  await producer.connect();
  feed = (async () => {
    for (; writing; attempts++) {
      const sent = producer.send({ topic, messages: [{ value: `${attempts}` }] });
      await sent.then(() => void acknowledged.push(performance.now())).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  guard = spawn(process.execPath, [main, '--config', join(folder, 'argus.yaml'), 'guard', '--region', 'mumbai'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...secrets },
  });
  guard.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
});
afterAll(async () => {
  guard?.kill('SIGKILL');
  secure?.broker.thaw();
  writing = false;
  await Promise.race([feed, new Promise((resolve) => setTimeout(resolve, 5_000))]);
  await Promise.race([producer?.disconnect(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  await operator?.close();
  await secure?.broker.stop();
  await rm(folder, { recursive: true, force: true });
});

const secrets = {
  ARGUS_PASSWORD: 'argus-password',
  INGEST_PASSWORD: 'ingest-password',
  COUNTS_PASSWORD: 'counts-password',
  ID: 'id',
  SECRET: 'secret',
  TOKEN: 'token',
};
const state = () => fileObjectStore(join(folder, 'state'));
const witness = () => fileObjectStore(join(folder, 'witness'));

/** A place that can't be reached: a file stands where its folder was. */
async function cut(place: 'state' | 'witness'): Promise<void> {
  await rename(join(folder, place), join(folder, `${place}.away`));
  await writeFile(join(folder, place), '');
}
async function heal(place: 'state' | 'witness'): Promise<void> {
  await unlink(join(folder, place));
  await rename(join(folder, `${place}.away`), join(folder, place));
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const takenSince = (from: number) => acknowledged.filter((at) => at > from).length;
/** How long records were still taken after that instant. */
async function shutAfter(from: number, withinMs: number): Promise<number> {
  const quiet = () => performance.now() - Math.max(from, acknowledged.at(-1) ?? from) > 1_500;
  await expect.poll(quiet, { timeout: withinMs, interval: 50 }).toBe(true);
  return Math.max(0, (acknowledged.at(-1) ?? from) - from);
}

test('the loss of the state alone shuts nobody, the loss of both shuts after the TTL, and the return of the state opens again', async () => {
  await expect.poll(() => said).toContain('mumbai is open');
  await cut('state');
  const cutAt = performance.now();
  await wait(2 * fenceTtlMs);
  expect(takenSince(cutAt + fenceTtlMs)).toBeGreaterThan(10);
  await cut('witness');
  const bothAt = performance.now();
  const shut = await shutAfter(bothAt, 40_000);
  expect(shut).toBeGreaterThan(fenceTtlMs - 2_500);
  expect(shut).toBeLessThan(2 * fenceTtlMs);
  await heal('witness');
  const witnessAt = performance.now();
  await wait(2_500);
  expect(takenSince(witnessAt), 'the witness does not know whether another was promoted').toBe(0);
  await heal('state');
  const healedAt = performance.now();
  await expect.poll(() => takenSince(healedAt)).toBeGreaterThan(10);
  const own = fileObjectStore(join(folder, 'guard/mumbai'));
  await expect.poll(async () => (await readKafkaFence(own, 'mumbai'))?.rules.length).toBe(0);
  expect(await operator.listAcls({ permission: 'DENY' })).toEqual([]);
});

test('a region that was frozen, and claimed meanwhile, is shut soon after its thaw, and what it took until then is counted', async () => {
  secure.broker.freeze();
  guard.kill('SIGSTOP');
  await putClaim(state(), 'mumbai', 1, claim);
  await putClaim(witness(), 'mumbai', 1, claim);
  await wait(12_500);
  // The lease is over: a failover would go on now. What comes later is beyond its promotion.
  const before = acknowledged.length;
  secure.broker.thaw();
  guard.kill('SIGCONT');
  const thawedAt = performance.now();
  const took = await shutAfter(thawedAt, 40_000);
  // Shorter than its TTL: a guard that begins its TTL anew at the thaw takes longer.
  expect(took).toBeLessThan(fenceTtlMs);
  await expect.poll(() => readGuardWord(witness(), 'mumbai', 1)).toMatchObject({ proof: 'proven' });
  expect(await readGuardWord(state(), 'mumbai', 1)).toMatchObject({ proof: 'proven' });
  const [range] = await operator.logRanges([{ topic, partition: 0 }]);
  // Every acknowledged one is in the log; one whose answer the freeze swallowed may be, too.
  const beyond = Number(range?.logEndOffset) - before;
  expect(beyond - (acknowledged.length - before)).toBeGreaterThanOrEqual(0);
  expect(beyond - (acknowledged.length - before)).toBeLessThanOrEqual(1);
});
