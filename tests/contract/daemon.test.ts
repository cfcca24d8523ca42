import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runDaemon } from '../../daemon/daemon.ts';
import { forkMirror } from '../../daemon/fork-mirror.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { configSchema } from '../../domain/config.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import { readFrozen, requestFreeze } from '../../state/freeze.ts';
import { readMirrorProducer } from '../../state/mirror-producer.ts';
import { readSighting } from '../../state/sightings.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { config as sampleConfig } from '../unit/runbooks/failover/world.ts';

let brokers: Record<'mumbai' | 'singapore', TestBroker>;
let regions: Map<string, Region>;
let producer: Producer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-daemon-test-'));
  const [mumbai, singapore] = await Promise.all([startTestBroker(), startTestBroker()]);
  brokers = { mumbai, singapore };
  regions = new Map(Object.entries(brokers).map(([name, broker]) => [name, region(name, broker)]));
  producer = new Kafka({ brokers: [mumbai.address], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  for (const name of ['events', 'others']) await kafka('mumbai').createTopic({ name, partitions: 2, configs: {} });
});
afterAll(async () => {
  await producer?.disconnect();
  await Promise.all([...(regions?.values() ?? [])].map((r) => r.kafka.close()));
  await Promise.all(Object.values(brokers ?? {}).map((b) => b.stop()));
  await rm(folder, { recursive: true, force: true });
});

function region(name: string, broker: TestBroker): Region {
  const flink = { list: async () => [] } as unknown as Region['flink'];
  const admin = new PlatformaticAdmin({ region: name, bootstrap: [broker.address] });
  const brokers = { name, bootstrap: [broker.address] };
  return { name, address: '127.0.0.1', kafka: admin, brokers, objects: memoryObjectStore(name), flink };
}
const kafka = (name: string) => (regions.get(name) as Region).kafka;

async function write(topic: string, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ value: String(i), partition: i % 2 }));
  await producer.send({ topic, messages });
}
async function mirrored(topic: string): Promise<bigint> {
  const partitions = [0, 1].map((partition) => ({ topic, partition }));
  return (await kafka('singapore').logRanges(partitions)).reduce((sum, r) => sum + r.logEndOffset, 0n);
}

/** Processes that this one started for a mirror. Source: proc(5). */
async function mirrorPids(): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((n) => /^\d+$/.test(n)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const [stat, command] = await Promise.all([
          readFile(`/proc/${pid}/stat`, 'utf8'),
          readFile(`/proc/${pid}/cmdline`, 'utf8'),
        ]);
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parent === process.pid && command.includes('mirror-process');
      } catch {
        return false; // Gone meanwhile.
      }
    }),
  );
  return pids.filter((_, i) => found[i]);
}

async function daemon(state: ObjectStore, use: (messages: () => readonly string[]) => Promise<void>): Promise<void> {
  const bootstrap = (name: 'mumbai' | 'singapore') => ({ bootstrap: [brokers[name].address] });
  const { mumbai, singapore } = sampleConfig.regions;
  const config = configSchema.parse({
    ...sampleConfig,
    regions: {
      mumbai: { ...mumbai, kafka: bootstrap('mumbai') },
      singapore: { ...singapore, kafka: bootstrap('singapore') },
    },
    topics: ['events'],
    objectives: {},
    drill: {},
    reports: {},
    checkpoints: {},
    automatic: {},
    probes: {},
    notify: {},
    alerts: {},
    daemon: { port: 0 },
  });
  const lines: string[] = [];
  const say = (_facts: object, message: string) => void lines.push(message);
  const log = { debug: () => undefined, info: say, warn: say, error: say };
  const stop = new AbortController();
  const ended = runDaemon({ config, regions, state, clock: wallClock, log, holder: 'test' }, stop.signal);
  try {
    await use(() => lines);
  } finally {
    stop.abort();
    await ended;
  }
}

describe('the daemon', () => {
  test('starts a mirror that was killed again with the same producer, and nothing beside it is disturbed', async () => {
    const state = fileObjectStore(join(folder, 'state'));
    await kafka('mumbai').setGroupOffsets('counts', [{ topic: 'events', partition: 0, offset: 1n }]);
    await daemon(state, async (messages) => {
      await write('events', 1_000);
      await expect.poll(() => mirrored('events')).toBe(1_000n);
      const [before] = await mirrorPids();
      const identity = await readMirrorProducer(state, 1);
      process.kill(before as number, 'SIGKILL');
      await write('events', 1_000);
      const sighted = (await readSighting(state, 'mumbai'))?.checkedAtMs ?? 0;
      await kafka('mumbai').setGroupOffsets('counts', [{ topic: 'events', partition: 0, offset: 400n }]);
      await expect.poll(() => mirrored('events')).toBe(2_000n);
      const after = await mirrorPids();
      expect(after).toHaveLength(1);
      expect(after[0]).not.toBe(before);
      expect(await readMirrorProducer(state, 1)).toEqual(identity);
      const copied = async () => (await kafka('singapore').groupOffsets('counts')).map((o) => o.offset);
      await expect.poll(copied).toEqual([400n]);
      const newest = async () => (await readSighting(state, 'mumbai'))?.checkedAtMs ?? 0;
      await expect.poll(newest).toBeGreaterThan(sighted);
      const trouble = messages().filter((m) => /stopped|can't/.test(m));
      expect(trouble).toEqual([expect.stringMatching(/^mirror stopped: the mirror's process ended \(SIGKILL\)/)]);
      await requestFreeze(state, { run: 'run-a', epoch: 3, rolesEpoch: 1, atMs: 1, drainMs: 20_000 });
      await expect.poll(() => readFrozen(state, 3)).toMatchObject({ drained: true, by: 'mirror' });
      expect(await mirrorPids()).toEqual([]);
      await write('events', 100);
    });
    expect(await mirrored('events')).toBe(2_000n);
    expect(await mirrorPids()).toEqual([]);
  });
});

describe('a mirror process', () => {
  async function forked(options: { readonly mayWriteForMs: () => number; readonly silentMs?: number }) {
    const topic = 'others';
    const there = await kafka('singapore').describeTopics([topic]);
    if (!there.has(topic)) await kafka('singapore').createTopic({ name: topic, partitions: 2, configs: {} });
    const transactionalId = `mirror-${Math.random()}`;
    const producerIds = await kafka('singapore').initProducer(transactionalId);
    const statuses: MirrorStatus[] = [];
    const handle = forkMirror(
      {
        source: { name: 'mumbai', bootstrap: [brokers.mumbai.address] },
        target: { name: 'singapore', bootstrap: [brokers.singapore.address] },
        partitions: [0, 1].map((partition) => ({ topic, partition })),
        producer: { transactionalId, ...producerIds },
      },
      { clock: wallClock, onStatus: (status) => void statuses.push(status), ...options },
    );
    return { handle, lag: () => statuses.at(-1)?.topics[topic]?.lagRecords };
  }

  test('writes nothing once its daemon does not hold the right to, and goes on with it', async () => {
    let forMs = 10_000;
    let refusals = 0;
    const mayWriteForMs = () => {
      if (forMs === 0) refusals++;
      return forMs;
    };
    const { handle, lag } = await forked({ mayWriteForMs });
    try {
      await write('others', 100);
      await expect.poll(() => mirrored('others')).toBe(100n);
      forMs = 0;
      // The right that was given last is taken back at the next renewal; the one after it comes a second later.
      await expect.poll(() => refusals).toBeGreaterThan(1);
      await write('others', 100);
      await expect.poll(lag).toBe(100);
      expect(await mirrored('others')).toBe(100n);
      forMs = 10_000;
      await expect.poll(() => mirrored('others')).toBe(200n);
    } finally {
      await handle.stop();
    }
  });

  test('that hangs is killed and told', async () => {
    const { handle, lag } = await forked({ mayWriteForMs: () => 10_000, silentMs: 4_000 });
    try {
      await expect.poll(lag).toBeDefined();
      const [pid] = await mirrorPids();
      process.kill(pid as number, 'SIGSTOP');
      await expect(handle.ended).rejects.toMatchObject({ code: 'MirrorStuck' });
      expect(await mirrorPids()).toEqual([]);
    } finally {
      await handle.stop();
    }
  });
});
