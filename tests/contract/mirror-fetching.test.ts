import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { type MirrorPair, messages, type PreparedTopic, startMirrorPair, theEnd } from '../support/mirror-pair.ts';

let pair: MirrorPair;
beforeAll(async () => {
  // Without room for fetch sessions: each fetch names every partition.
  pair = await startMirrorPair({ primary: { 'max.incremental.fetch.session.cache.slots': '0' } });
});
afterAll(() => pair?.stop());

/** Writes some 2 MB in batches of 10 KB. */
async function fill({ topic }: PreparedTopic): Promise<void> {
  const producer = await pair.newProducer();
  const value = 'x'.repeat(1_000);
  for (let i = 0; i < 200; i++) {
    await producer.send({ topic, messages: messages(`${i}`, 10).map((m) => ({ ...m, value })), acks: 1 });
  }
}

test('reads no faster than it may, and at full speed as soon as it may, without a new session', async () => {
  const prepared = await pair.prepare(1);
  const { topic, partitions, settings, identity } = prepared;
  await fill(prepared);
  const phases = new Set<string>();
  const mirror = new Mirror({
    ...settings,
    producer: identity,
    clock: wallClock,
    throttle: { topics: { [topic]: 200_000 } },
    onStatus: (status) => phases.add(status.phase),
  });
  const ended = () => Number(mirror.status().topics[topic]?.partitions[0]?.mirroredEndOffset);
  const stopping = new AbortController();
  const from = performance.now();
  const running = mirror.run(stopping.signal);
  try {
    await expect.poll(ended, { interval: 5 }).toBeGreaterThan(0);
    phases.clear();
    await expect.poll(ended, { interval: 5 }).toBeGreaterThan(500);
    // 500 records are 500 kB; the burst and one answer come on top of what the time allows.
    const seconds = (performance.now() - from) / 1_000;
    expect((ended() * 1_000 - 50_000 - 64_000) / seconds).toBeLessThan(210_000);
    const held = ended();
    expect(held).toBeLessThan(1_500);
    mirror.follow({ partitions, held: {}, throttle: { bytesPerSecond: 100_000_000, topics: {} } });
    await pair.catchesUp(mirror, prepared);
    expect([...phases].filter((phase) => phase !== 'mirroring')).toEqual([]);
  } finally {
    stopping.abort();
    await running;
  }
});

test('mirrors all partitions in turn from a broker that keeps no fetch sessions', async () => {
  const prepared = await pair.prepare(6);
  const { topic, settings, identity } = prepared;
  const producer = await pair.newProducer();
  const all = Array.from({ length: 6 }, (_, partition) => messages('record', 50, partition)).flat();
  await producer.send({ topic, messages: all });
  const mirror = new Mirror({ ...settings, producer: identity, clock: wallClock });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await pair.catchesUp(mirror, prepared);
    await producer.send({ topic, messages: messages('later', 5, 3) });
    await pair.catchesUp(mirror, prepared);
    await producer.send({ topic, messages: Array.from({ length: 6 }, (_, p) => messages(theEnd, 1, p)).flat() });
    await pair.catchesUp(mirror, prepared);
    await pair.expectIdentical(prepared);
  } finally {
    stopping.abort();
    await running;
  }
});
