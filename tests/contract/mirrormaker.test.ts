import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { type ConnectCluster, connectRest } from '../../regions/connect/connect-rest.ts';
import { decodeSourceSplits, listStates, SOURCE_READER_STATE } from '../../regions/flink/kafka-state.ts';
import { transform } from '../../regions/flink/metadata-files.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { withSplitsChanged } from '../../replication/checkpoints/change-sources.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import {
  bringConnectors,
  type DeployOptions,
  deployConnectors,
  keepSyncs,
} from '../../replication/mirrormaker/deploy.ts';
import { type MirrorMakerFlow, standbyTopic, syncsTopic } from '../../replication/mirrormaker/flow.ts';
import { mirrorMakerHealth } from '../../replication/mirrormaker/health.ts';
import { connectorConfigs } from '../../replication/mirrormaker/render.ts';
import { sightMirrorMaker, translateSourceOffset } from '../../replication/mirrormaker/watch.ts';
import { chooseTranslated } from '../../replication/recovery-point/choose-translated.ts';
import { putFullSample } from '../support/checkpoint-bucket.ts';
import { flinkSample, SAMPLE_BUCKET } from '../support/flink-samples.ts';
import { startTestConnect, type TestConnect } from '../support/kafka-connect.ts';
import { consume, logEnds, type MirrorPair, messages, startMirrorPair, theEnd } from '../support/mirror-pair.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { sampleWith } from '../unit/cli/sample-config.ts';
import { mirrorMakerYaml, sampleFlow } from '../unit/replication/mirrormaker/mirrormaker-sample.ts';

let pair: MirrorPair;
let worker: TestConnect;
let server: ObjectServer;
let connect: ConnectCluster;
let flow: MirrorMakerFlow;
let deploying: DeployOptions;
let folder: string;
/** Each call ends by itself, and each test. */
const { signal } = new AbortController();
/** The sample's. */
const REPLICA = 'argus-flink-checkpoints-replica';
const plain = { topic: 'plain', partition: 0 };
const transactional = { topic: 'transactional', partition: 0 };

beforeAll(async () => {
  pair = await startMirrorPair();
  worker = await startTestConnect(pair.standby.address);
  server = await startObjectServer({ buckets: [REPLICA] });
  connect = connectRest({ region: 'singapore', url: worker.url });
  deploying = { connect, clock: wallClock, signal, timeoutMs: 120_000 };
  folder = await mkdtemp(join(tmpdir(), 'argus-test-mirrormaker-'));
  const text = mirrorMakerYaml('    replicationFactor: 1\n', sampleWith('[events]', '[plain, transactional]'))
    .replace('127.0.1.1:19092', pair.primary.address)
    .replace('127.0.2.1:19092', pair.standby.address)
    .replace('http://127.0.2.1:9000', `${server.endpoint}\n      region: us-east-1`)
    .replace('http://connect.singapore.example:8083', worker.url);
  await writeFile(join(folder, 'argus.yaml'), text);
  flow = sampleFlow(text);
  for (const { topic } of [plain, transactional])
    await pair.primaryAdmin.createTopic({ name: topic, partitions: 1, configs: {} });
  // Records that MirrorMaker finds, and a log in which offsets without record shift all that follow.
  const producer = await pair.newProducer();
  for (let i = 0; i < 20; i++) await producer.send({ topic: 'plain', messages: messages(`before-${i}`, 50) });
  const writer = await pair.newProducer('writer');
  for (let i = 0; i < 5; i++) {
    const transaction = await writer.transaction();
    await transaction.send({ topic: 'transactional', messages: messages(`t-${i}`, 10) });
    await (i === 2 ? transaction.abort() : transaction.commit());
  }
});
afterAll(async () => {
  await worker?.stop();
  await server?.stop();
  await pair?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const sides = () => ({
  flow,
  source: { name: 'mumbai', bootstrap: [pair.primary.address] },
  target: { name: 'singapore', bootstrap: [pair.standby.address] },
  clock: wallClock,
  signal,
});

async function look(stalledAfterMs = 30_000) {
  const connectors = [...connectorConfigs(flow).keys()];
  const partitions = [plain, transactional];
  return mirrorMakerHealth(await sightMirrorMaker(sides(), { connect, connectors, partitions, stalledAfterMs }));
}

/** What a command prints as JSON; one that fails throws. */
async function argus(...args: string[]) {
  const env = { ...process.env, MUMBAI_KEY: 'x', MUMBAI_SECRET: 'x', SINGAPORE_KEY: server.accessKeyId };
  const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const command = [main, '--config', join(folder, 'argus.yaml'), '--json', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    env: { ...env, SINGAPORE_SECRET: server.secretAccessKey, CLOUDFLARE_TOKEN: 'x' },
    timeout: 120_000,
  });
  return JSON.parse(stdout);
}

/** A replica of a checkpoint whose source goes on there, in partition 0; made from one that Flink wrote. */
async function checkpointAt(topic: string, offset: bigint, target: ObjectStore = memoryObjectStore('standby')) {
  const source = memoryObjectStore('primary', { uri: `s3://${SAMPLE_BUCKET}` });
  await putFullSample(source);
  const { directory } = flinkSample('v6-full');
  const directoryUri = `${source.uri}/${directory}`;
  const found = await source.get(`${directory}/_metadata`);
  const read = async (uri: string) => (await source.get(uri.slice(source.uri.length + 1)))?.body ?? new Uint8Array();
  const moved = await withSplitsChanged(readMetadata(found!.body), directoryUri, read, () => ({ topic, offset }));
  const metadata = transform(moved, {
    stream: (handle) => handle,
    operator(handle) {
      const data = handle.stream?.tag === 1 ? handle.stream.data : new Uint8Array();
      const inFirst = (at: bigint) => decodeSourceSplits(data, [at])[0]?.partition === 0;
      const states = handle.states.map((state) =>
        state.name === SOURCE_READER_STATE ? { ...state, offsets: state.offsets.filter(inFirst) } : state,
      );
      return { ...handle, states };
    },
  });
  await source.put(`${directory}/_metadata`, writeMetadata(metadata));
  const sync = createCheckpointSync({ job: 'counts', prefix: 'checkpoints', source, target, clock: wallClock });
  await sync.step();
  return { target, job: 'counts' };
}

const translate = (partition: typeof plain, offset: bigint) => translateSourceOffset(sides(), partition, offset);
const caughtUp = () =>
  expect
    .poll(async () => (await look()).lags.map((l) => l.lagRecords), { timeout: 120_000, interval: 300 })
    .toEqual([0n, 0n]);

describe('MirrorMaker 2 on Kafka Connect', () => {
  test('is deployed, copies, and is found healthy; the same again changes nothing', async () => {
    await keepSyncs(flow, pair.standbyAdmin, signal);
    const configs = connectorConfigs(flow);
    const first = await deployConnectors(configs, deploying);
    expect([...first.values()]).toEqual(['made', 'made', 'made']);
    await caughtUp();
    await expect.poll(async () => (await look()).problems, { interval: 300 }).toEqual([]);
    const again = await argus('mirror', 'deploy');
    expect(Object.values(again.connectors)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(await argus('mirror', 'status')).toMatchObject({ healthy: true, lags: [{ lagRecords: '0' }, {}] });
    const kept = await pair.standbyAdmin.topicConfigs(syncsTopic(flow));
    expect(kept.get('min.compaction.lag.ms')).toBe('3600000');
  });

  test('translates exactly on a plain topic, also between two syncs, and never behind the end', async () => {
    const producer = await pair.newProducer();
    await producer.send({ topic: 'plain', messages: messages(theEnd, 1) });
    await caughtUp();
    const [end = 0n] = await logEnds(pair.standbyAdmin, [plain]);
    expect(end).toBe(1_001n);
    expect(await translate(plain, end)).toEqual({ kind: 'exact', offset: end });
    expect(await translate(plain, end + 1n)).toMatchObject({ kind: 'refused', code: 'NotSyncedYet' });
    const answers = await Promise.all([700n, 901n, 1_000n].map((offset) => translate(plain, offset)));
    const told = await argus('mirror', 'offsets', '--topic', 'plain', '--partition', '0', '--offset', '1000');
    expect(told).toEqual({ topic: 'plain', partition: 0, sourceOffset: '1000', kind: 'exact', offset: '1000' });
    // Nothing was ever written twice here, so both logs are the same.
    for (const [i, answer] of answers.entries())
      expect(answer).toSatisfy(
        (a: typeof answer) => a.kind === 'refused' || a.offset === [700n, 901n, 1_000n][i],
        JSON.stringify(answer, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
      );
    expect(answers.at(-1)).toEqual({ kind: 'exact', offset: 1_000n });
    expect(await consume(pair.standby, 'plain', false, 1)).toEqual(await consume(pair.primary, 'plain', false, 1));
  });

  test('refuses in a transactional gap; what it translates there is the very record', async () => {
    // Five transactions of ten records and a marker each; the third was aborted. Behind the last marker no sync tells.
    expect(await translate(transactional, 55n)).toMatchObject({ kind: 'refused', code: 'NotSyncedYet' });
    const answers = await Promise.all(Array.from({ length: 55 }, (_, i) => translate(transactional, BigInt(i))));
    const upstream = (copy: number) => copy + Math.floor(copy / 10) + (copy >= 20 ? 11 : 0);
    for (const [offset, answer] of answers.entries()) {
      if (answer.kind === 'refused') continue;
      // The first record of the copy that is not before the wanted offset.
      const copies = Array.from({ length: 40 }, (_, copy) => copy).filter((copy) => upstream(copy) >= offset);
      expect([offset, answer.offset]).toEqual([offset, BigInt(copies[0] ?? 40)]);
    }
    expect(answers[53]).toEqual({ kind: 'exact', offset: 39n });
    expect(answers[54]).toEqual({ kind: 'exact', offset: 40n });
  });

  test('a checkpoint is written with the offset of the copy, or refused by name', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const access = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', bucket: REPLICA, pathStyle: true };
    const replica = s3ObjectStore(access);
    try {
      const { job } = await checkpointAt(transactional.topic, 53n, replica);
      const [told] = (await argus('checkpoints', 'translate', '--job', job)).jobs;
      const standby = { topic: 'transactional', offset: '39' };
      expect(told).toMatchObject({
        job,
        checkpointId: 4,
        state: 'written',
        rejected: [],
        splits: [{ offset: '53', standby }],
      });
      const written = await replica.get(`${told.uri.slice(`s3://${REPLICA}/`.length)}/_metadata`);
      const splits = listStates(readMetadata(written!.body), SOURCE_READER_STATE).flatMap(({ stream, offsets }) =>
        decodeSourceSplits(stream?.tag === 1 ? stream.data : new Uint8Array(), offsets),
      );
      expect(splits).toEqual([{ ...transactional, offset: 39n }]);
      const [again] = (await argus('checkpoints', 'translate')).jobs;
      expect(again).toEqual({ ...told, state: 'there' });
    } finally {
      await replica.close();
    }
    const job = 'counts';
    const translator = { topics: ['transactional'], standbyTopic: (t: string) => standbyTopic(flow, t), translate };
    const past = await checkpointAt(transactional.topic, 55n);
    expect(await chooseTranslated({ objects: past.target, job, translator, signal })).toMatchObject({
      kind: 'none',
      rejected: [{ reasons: [{ code: 'NotSyncedYet' }] }],
    });
  });

  test('stops when asked, is seen stopped and behind, and goes on', async () => {
    const names = [...connectorConfigs(flow).keys()];
    await bringConnectors(names, 'stop', deploying);
    const before = await logEnds(pair.standbyAdmin, [plain]);
    const producer = await pair.newProducer();
    await producer.send({ topic: 'plain', messages: messages('late', 25) });
    const seen = await look(0);
    expect(seen.lags[0]).toMatchObject({ lagRecords: 25n, exact: true });
    expect(seen.problems.map((p) => p.code)).toContain('NoSync');
    expect(seen.problems).toContainEqual({ code: 'ConnectorNotRunning', message: `${names[0]} is STOPPED` });
    expect(await logEnds(pair.standbyAdmin, [plain])).toEqual(before);
    await bringConnectors(names, 'resume', deploying);
    await caughtUp();
  });

  test('names a task that failed, with the reason, after one restart', async () => {
    // A topic of the copy's name that takes no record of this size: the task fails on it.
    await pair.standbyAdmin.alterTopicConfigs('plain', { 'max.message.bytes': '200' });
    const producer = await pair.newProducer();
    await producer.send({ topic: 'plain', messages: [{ key: 'large', value: 'x'.repeat(5_000) }] });
    const failed = async () => (await look()).problems.find((p) => p.code === 'ConnectorFailed')?.message;
    await expect
      .poll(failed, { timeout: 120_000, interval: 300 })
      .toMatch(/^task 0 of argus-mumbai-to-singapore-source is FAILED: org\./);
    await expect(deployConnectors(connectorConfigs(flow), deploying)).rejects.toMatchObject({
      code: 'ConnectorFailed',
    });
    await connect.restartFailed([...connectorConfigs(flow).keys()][0] ?? '');
  });
});
