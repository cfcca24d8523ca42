import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssignerProtocol } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { readFrozen, requestFreeze, thaw } from '../../state/freeze.ts';
import { kafkajsClient, logEnds, type MirrorPair, messages, startMirrorPair, theEnd } from '../support/mirror-pair.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const topic = 'shared';
const partitions = Array.from({ length: 6 }, (_, partition) => ({ topic, partition }));
const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const secrets = {
  MUMBAI_KEY: 'a',
  MUMBAI_SECRET: 'a',
  SINGAPORE_KEY: 'a',
  SINGAPORE_SECRET: 'a',
  CLOUDFLARE_TOKEN: 'a',
};

let pair: MirrorPair;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-share-test-'));
  pair = await startMirrorPair();
  await pair.primaryAdmin.createTopic({ name: topic, partitions: partitions.length, configs: {} });
  const yaml = sampleYaml
    .replace('127.0.1.1:19092', pair.primary.address)
    .replace('127.0.2.1:19092', pair.standby.address)
    .replace('topics: [events]', `topics: [${topic}]\nmirror:\n  acls: off`);
  await writeFile(join(folder, 'argus.yaml'), yaml);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await pair?.stop();
  await rm(folder, { recursive: true, force: true });
});

const state = () => fileObjectStore(join(folder, 'state'));

/** `argus mirror …` in a process of its own. */
function argusMirror(...options: string[]) {
  const args = [cli, '--config', join(folder, 'argus.yaml'), 'mirror', ...options];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...secrets },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let said = '';
  child.stdout?.on('data', (bytes) => {
    said += bytes;
  });
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  onTestFailed(() => void process.stderr.write(`${options.join(' ')} (pid ${child.pid}):\n${said}\n`));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    said: () => said,
    exited,
    signal: (name: NodeJS.Signals) => void child.kill(name),
    async end(name: NodeJS.Signals = 'SIGTERM') {
      child.kill(name);
      return exited;
    },
  };
}

/** How many partitions each member has, with the heartbeat's, as kafkajs sees it; undefined while they are about to agree. */
async function shares(): Promise<readonly number[] | undefined> {
  const admin = kafkajsClient(pair.standby).admin();
  try {
    await admin.connect();
    const { groups } = await admin.describeGroups(['argus-mirror']);
    if (groups[0]?.state !== 'Stable') return undefined;
    const parts = groups[0].members.map(
      (m) => AssignerProtocol.MemberAssignment.decode(m.memberAssignment)?.assignment ?? {},
    );
    const owned = parts.flatMap((p) => p[topic] ?? []);
    if (owned.length === 0) return undefined;
    expect(owned.sort(), 'each partition has one owner').toEqual(partitions.map((p) => p.partition));
    return parts.map((p) => Object.values(p).flat().length).sort();
  } finally {
    await admin.disconnect();
  }
}

const shared = (expected: readonly number[]) =>
  expect.poll(() => shares().catch(() => undefined), { timeout: 90_000, interval: 300 }).toEqual(expected);

/** Writes to every partition all the time, plain records and transactions; gives what stops it. */
async function load() {
  const producer = await pair.newProducer();
  let stopped = false;
  const loop = (async () => {
    for (let round = 0; !stopped; round++) {
      const batch = partitions.flatMap(({ partition }) => messages(`${round}`, 10, partition));
      await producer.send({ topic, messages: batch });
      await wallClock.sleep(100);
    }
  })();
  const mix = (async () => {
    while (!stopped) {
      await pair.writeMix(topic, partitions.length, 1, 'mixed');
      await wallClock.sleep(2_000);
    }
  })();
  const stop = async () => {
    stopped = true;
    await Promise.all([loop, mix]);
  };
  onTestFinished(stop);
  return stop;
}

/** The standby has gone on in every partition. */
async function goesOnEverywhere(): Promise<void> {
  const before = await logEnds(pair.primaryAdmin, partitions);
  const behind = async () => {
    const now = await logEnds(pair.standbyAdmin, partitions);
    return now.filter((end, i) => end < (before[i] ?? 0n)).length;
  };
  await expect.poll(behind, { timeout: 60_000, interval: 100 }).toBe(0);
}

describe('processes that share the partitions', { timeout: 400_000 }, () => {
  test('go on without one that was killed, without one that sleeps, and with a new one; nothing is lost or doubled', async () => {
    const stop = await load();
    const first = argusMirror('run', '--share');
    await shared([7]);
    const second = argusMirror('run', '--share');
    const third = argusMirror('run', '--share');
    await shared([2, 2, 3]);
    await goesOnEverywhere();

    // The one that led, too.
    await first.end('SIGKILL');
    await goesOnEverywhere();
    await shared([3, 4]);

    const fourth = argusMirror('run', '--share');
    await shared([2, 2, 3]);

    second.signal('SIGSTOP');
    await goesOnEverywhere();
    await shared([3, 4]);
    second.signal('SIGCONT');
    await shared([2, 2, 3]);
    await goesOnEverywhere();

    const status = argusMirror('status');
    await status.exited;
    expect(status.said().match(/ at 127\.0\.0\.1: .*shared [\d,-]+$/gm), status.said()).toHaveLength(3);

    await stop();
    const producer = await pair.newProducer();
    await producer.send({ topic, messages: partitions.flatMap((p) => messages(theEnd, 1, p.partition)) });
    await goesOnEverywhere();
    await pair.expectIdentical({ topic, partitions } as unknown as Parameters<typeof pair.expectIdentical>[0]);

    for (const member of [second, third, fourth]) expect(await member.end(), member.said()).toBe(0);
  });

  test('confirm a freeze when all stand still, and not when one of them says nothing', async () => {
    const members = [argusMirror('run', '--share'), argusMirror('run', '--share'), argusMirror('run', '--share')];
    await shared([2, 2, 3]);
    const stop = await load();
    await goesOnEverywhere();
    await stop();
    const freeze = { run: 'run-a', rolesEpoch: 1, atMs: 1, drainMs: 20_000 };
    await requestFreeze(state(), { ...freeze, epoch: 5 });
    await expect.poll(() => readFrozen(state(), 5)).toMatchObject({ by: 'mirror', drained: true });
    const ends = await logEnds(pair.standbyAdmin, partitions);
    expect(ends).toEqual(await logEnds(pair.primaryAdmin, partitions));
    const frozen = [...((await readFrozen(state(), 5))?.endOffsets ?? [])].sort((a, b) => a.partition - b.partition);
    expect(frozen.filter((f) => f.topic === topic)).toEqual(partitions.map((p, i) => ({ ...p, offset: ends[i] })));
    const producer = await pair.newProducer();
    const more = (name: string) =>
      producer.send({ topic, messages: partitions.flatMap((p) => messages(name, 5, p.partition)) });
    await more('while frozen');
    await wallClock.sleep(1_500);
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual(ends);
    await thaw(state(), { run: 'run-a', epoch: 5, atMs: 1, reason: 'a test' });
    await goesOnEverywhere();
    await shared([2, 2, 3]);

    const sleeper = members.find((m) => !m.said().includes('this process leads'));
    sleeper?.signal('SIGSTOP');
    await requestFreeze(state(), { ...freeze, epoch: 6, drainMs: 1_000 });
    await more('while one sleeps');
    const said = () => members.map((m) => m.said()).join('\n');
    await expect.poll(said).toContain('no proof that all members stand still');
    expect(await readFrozen(state(), 6)).toBeUndefined();
    const before = await logEnds(pair.standbyAdmin, partitions);
    sleeper?.signal('SIGCONT');
    await wallClock.sleep(2_000);
    expect(await logEnds(pair.standbyAdmin, partitions), 'it writes nothing when it wakes').toEqual(before);
    for (const member of members) expect(await member.end(), member.said()).toBe(0);
  });
});
