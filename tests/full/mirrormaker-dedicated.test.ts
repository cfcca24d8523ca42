import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureMirrorMaker } from '../../bench/mirror/mirrormaker-part.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { keepSyncs } from '../../replication/mirrormaker/deploy.ts';
import { dedicatedProperties } from '../../replication/mirrormaker/render.ts';
import { translateSourceOffset } from '../../replication/mirrormaker/watch.ts';
import { logEnds, type MirrorPair, messages, startMirrorPair } from '../support/mirror-pair.ts';
import { sampleWith } from '../unit/cli/sample-config.ts';
import { mirrorMakerYaml, sampleFlow } from '../unit/replication/mirrormaker/mirrormaker-sample.ts';

let pair: MirrorPair;
let folder: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  pair = await startMirrorPair();
  folder = await mkdtemp(join(tmpdir(), 'argus-test-dedicated-'));
}, 120_000);
afterAll(async () => {
  if (child && child.exitCode === null) {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  await pair?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('MirrorMaker runs by the properties that are rendered for its dedicated mode', async () => {
  const yaml = mirrorMakerYaml('    replicationFactor: 1\n', sampleWith('[events]', '[plain]'))
    .replace('127.0.1.1:19092', pair.primary.address)
    .replace('127.0.2.1:19092', pair.standby.address);
  const flow = sampleFlow(yaml);
  const plain = { topic: 'plain', partition: 0 };
  await pair.primaryAdmin.createTopic({ name: 'plain', partitions: 1, configs: {} });
  await (await pair.newProducer()).send({ topic: 'plain', messages: messages('before', 300) });
  const signal = AbortSignal.timeout(170_000);
  await keepSyncs(flow, pair.standbyAdmin, signal);
  const file = join(folder, 'mm2.properties');
  await writeFile(file, dedicatedProperties(flow));
  const { java } = await ensureArtifacts({});
  const libs = await ensureMirrorMaker(signal, () => undefined);
  const options = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(libs, '*')];
  child = spawn(java, [...options, 'org.apache.kafka.connect.mirror.MirrorMaker', file], {
    stdio: 'ignore',
    cwd: folder,
  });
  const copied = async () =>
    (await pair.standbyAdmin.describeTopics(['plain'])).size === 0 ? [] : logEnds(pair.standbyAdmin, [plain]);
  await expect.poll(copied, { timeout: 150_000, interval: 500 }).toEqual([300n]);
  const sides = {
    flow,
    source: { name: 'mumbai', bootstrap: [pair.primary.address] },
    target: { name: 'singapore', bootstrap: [pair.standby.address] },
    clock: wallClock,
    signal,
  };
  const translated = () => translateSourceOffset(sides, plain, 300n);
  await expect.poll(translated, { timeout: 20_000, interval: 500 }).toEqual({ kind: 'exact', offset: 300n });
  // Nothing of MirrorMaker's is written on the primary.
  expect([...(await pair.primaryAdmin.describeTopics()).keys()]).toEqual(['plain']);
}, 180_000);
