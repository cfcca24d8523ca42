import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followRoles } from '../../daemon/follow-roles.ts';
import { replicator } from '../../daemon/replicator.ts';
import { runMirror } from '../../daemon/run-mirror.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { freezeInForce } from '../../state/freeze.ts';
import { keepMirrorProducer } from '../../state/mirror-producer.ts';
import { readRoles, writeRoles } from '../../state/roles.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { kafkajsClient, messages } from '../support/mirror-pair.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

const topic = 'events';
const partitions = [0, 1].map((partition) => ({ topic, partition }));
const allow = (resourceType: Acl['resourceType'], resourceName: string, operation: Acl['operation']): Acl => ({
  resourceType,
  resourceName,
  patternType: resourceType === 'transactionalId' ? 'prefixed' : 'literal',
  principal: 'User:mirror',
  host: '*',
  operation,
  permission: 'ALLOW',
});

let primary: TestBroker;
let standby: SecureBroker;
/** On the standby's listener without security: may do anything. */
let operator: PlatformaticAdmin;
let folder: string;
let state: ObjectStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-promote-test-'));
  state = fileObjectStore(join(folder, 'state'));
  [primary, standby] = await Promise.all([startTestBroker(), startSecureBroker({ users: ['mirror'] })]);
  operator = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.broker.address] });
  const source = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] });
  for (const admin of [source, operator]) await admin.createTopic({ name: topic, partitions: 2, configs: {} });
  await source.close();
  await operator.createAcls([
    ...(['READ', 'WRITE', 'DESCRIBE_CONFIGS'] as const).map((operation) => allow('topic', topic, operation)),
    ...['argus-mirror-', '__argus-mirror-'].map((prefix) => allow('transactionalId', prefix, 'WRITE')),
    ...(['ALTER', 'DESCRIBE'] as const).map((operation) => allow('cluster', 'kafka-cluster', operation)),
  ]);
  await writeFile(join(folder, 'ca.pem'), standby.ca.cert);
  const secured = `bootstrap: [${standby.secureAddress}]
      tls: { ca: ca.pem }
      sasl: { mechanism: SCRAM-SHA-512, username: mirror, password: env:SECRET }`;
  const yaml = sampleYaml
    .replace('bootstrap: [127.0.1.1:19092]', `bootstrap: [${primary.address}]`)
    .replace('bootstrap: [127.0.2.1:19092]', secured);
  await writeFile(join(folder, 'argus.yaml'), `${yaml}mirror: { principal: "User:mirror", denyWrite: true }\n`);
});
afterAll(async () => {
  await Promise.all([operator?.close(), state?.close()]);
  await Promise.all([primary?.stop(), standby?.broker.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** The command as a person types it; never throws. */
function argus(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const secrets = ['SECRET', 'MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN'];
  const env = { ...process.env, NO_COLOR: '1', ...Object.fromEntries(secrets.map((s) => [s, 'mirror-password'])) };
  const main = join(import.meta.dirname, '../../cli/main.ts');
  const all = [main, '--config', join(folder, 'argus.yaml'), 'mirror', 'promote', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, all, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const ends = async () => (await operator.logRanges(partitions)).map((r) => r.logEndOffset);

const settings = async () => {
  const transactionalId = 'argus-mirror-1';
  const made = await operator.initProducer(transactionalId);
  return {
    source: { name: 'mumbai', bootstrap: [primary.address] },
    target: standby.endpoint('singapore', 'mirror'),
    partitions,
    producer: await keepMirrorProducer(state, 1, { transactionalId, ...made }),
  };
};

test('promotes with transactions open at the cut, and a mirror that goes on elsewhere is denied', async () => {
  await writeRoles(state, {
    epoch: 1,
    primary: 'mumbai',
    standby: 'singapore',
    replication: 'active',
    atMs: 1,
    by: 'test',
  });
  const mirrorSettings = await settings();
  const stopping = new AbortController();
  const following = followRoles(
    {
      state,
      clock: wallClock,
      log: quietLog(),
      confirms: true,
      pollMs: 100,
      replicator: replicator({
        clock: wallClock,
        log: quietLog(),
        loops: [],
        standbyEnds: async () => [],
        openMirror: async () =>
          runMirror(mirrorSettings, { clock: wallClock, onStatus: () => undefined, mayWrite: () => true }),
      }),
    },
    stopping.signal,
  );
  const client = kafkajsClient(primary);
  const transactional = (id: string) =>
    client.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1 });
  const producers = [client.producer(), transactional('kept'), transactional('lost')] as const;
  const [plain, kept, lost] = producers;
  await Promise.all(producers.map((p) => p.connect()));
  try {
    await plain.send({ topic, messages: messages('before', 2) });
    const toKeep = await kept.transaction();
    await toKeep.send({ topic, messages: messages('kept', 3) });
    const toLose = await lost.transaction();
    await toLose.send({ topic, messages: [...messages('lost', 2), ...messages('lost', 1, 1)] });
    await plain.send({ topic, messages: messages('behind', 1) });
    await expect.poll(ends).toEqual([8n, 1n]);

    const listed = await argus('--list', '--json');
    expect(listed).toMatchObject({ code: 0 });
    const { openTransactions } = JSON.parse(listed.stdout);
    expect(openTransactions).toMatchObject([
      { partition: 0, owner: 'mirror', firstOffset: '2' },
      { partition: 0, owner: 'mirror', firstOffset: '5' },
      {
        partition: 1,
        owner: 'mirror',
        transactionalId: expect.stringMatching(/^__argus-mirror-events-1-t\d$/),
        firstOffset: '0',
      },
    ]);
    expect((await argus('--list')).stdout).toContain('events-0: producer ');
    expect(await argus('--yes', '--commit', '4711')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no transaction that the mirror holds open belongs to 4711'),
    });
    expect(await argus()).toMatchObject({ code: 4, stderr: expect.stringContaining('nothing was changed') });
    expect(await freezeInForce(state, 1)).toBeUndefined();
    expect(await ends()).toEqual([8n, 1n]);

    const promoted = await argus('--yes', '--json', '--commit', openTransactions[0].sourceProducerId);
    expect(promoted).toMatchObject({ code: 0 });
    const report = JSON.parse(promoted.stdout);
    expect(report).toMatchObject({
      outcome: 'done',
      drained: true,
      writeDenied: true,
      promotedAt: [
        { topic, partition: 0, offset: '8' },
        { topic, partition: 1, offset: '1' },
      ],
      endedTransactions: [
        { partition: 0, firstOffset: '2', outcome: 'commit', because: 'asked', records: 3 },
        { partition: 0, firstOffset: '5', outcome: 'abort', because: 'default', records: 2 },
        { partition: 1, firstOffset: '0', outcome: 'abort', because: 'default', records: 1 },
      ],
      foreignTransactions: [],
      unmatchedCommits: [],
    });
    expect(await readRoles(state)).toMatchObject({ epoch: 2, primary: 'singapore', replication: 'suspended' });
    // The markers alone stand above.
    expect(await ends()).toEqual([10n, 2n]);
    expect(await readCommitted(5)).toEqual(['before-0', 'before-1', 'behind-0', 'kept-0', 'kept-1', 'kept-2']);

    // A mirror that somebody still runs on another machine.
    await plain.send({ topic, messages: [...messages('late', 3), ...messages('late', 3, 1)] });
    const other = new Mirror({ ...mirrorSettings, clock: wallClock });
    const elsewhere = new AbortController();
    const running = other.run(elsewhere.signal);
    const stuck = () => other.status().topics[topic]?.partitions.every((p) => p.stop || p.trouble);
    await expect.poll(stuck).toBe(true);
    elsewhere.abort();
    await running;
    expect(await ends()).toEqual([10n, 2n]);

    expect(await argus('--yes')).toMatchObject({ code: 3, stderr: expect.stringContaining('was promoted already') });
    await Promise.all([toKeep.abort(), toLose.abort()]);
  } finally {
    stopping.abort();
    await Promise.all([following, ...producers.map((p) => p.disconnect())]);
  }
});

/** What readers of committed records of the standby get, up to `count` further ones than the first. */
async function readCommitted(count: number): Promise<readonly string[]> {
  const client = new Kafka({ brokers: [standby.broker.address], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: 'reader' });
  const seen: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void seen.push(`${message.value}`) });
  await expect.poll(() => seen.length).toBeGreaterThan(count);
  await consumer.disconnect();
  return seen.sort();
}
