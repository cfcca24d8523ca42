import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealDaemon, realDaemons, usageOf } from '../support/real-daemons.ts';

let world: Awaited<ReturnType<typeof realDaemons>>;
beforeAll(async () => {
  world = await realDaemons();
}, 120_000);
afterAll(() => world?.stop());

const leads = async (daemon: RealDaemon) => (await daemon.health().catch(() => undefined))?.replication === 'run';
const mirrored = async () => {
  const partitions = [0, 1].map((partition) => ({ topic: 'events', partition }));
  const ranges = await world.target.logRanges(partitions);
  return ranges.reduce((sum, r) => sum + r.logEndOffset, 0n);
};

describe('three daemons', () => {
  test('one leads; killed, another takes its place within 25 s; restarted, it observes; asked to end, it is followed at once', async () => {
    const client = new Kafka({ brokers: [world.bootstrap], logLevel: logLevel.NOTHING });
    const producer = client.producer();
    await producer.connect();
    const write = (count: number) =>
      producer.send({
        topic: 'events',
        messages: Array.from({ length: count }, (_, i) => ({ value: String(i), partition: i % 2 })),
      });
    try {
      const first = await world.start();
      await expect.poll(() => leads(first), { timeout: 30_000 }).toBe(true);
      const others = [await world.start(), await world.start()];
      for (const other of others) {
        const observing = { ok: true, replication: 'idle', why: expect.stringMatching(/leads; this daemon observes/) };
        await expect.poll(other.health, { timeout: 30_000 }).toMatchObject(observing);
      }
      await write(100);
      await expect.poll(mirrored, { timeout: 20_000 }).toBe(100n);

      const killedAtMs = Date.now();
      await first.end('SIGKILL');
      await write(100);
      const leaders = async () => (await Promise.all(others.map(leads))).filter((l) => l).length;
      await expect.poll(leaders, { timeout: 40_000, interval: 200 }).toBe(1);
      const tookMs = Date.now() - killedAtMs;
      console.log(`a killed leader's place was taken after ${(tookMs / 1_000).toFixed(1)} s`);
      expect(tookMs).toBeLessThan(25_000);
      await expect.poll(mirrored, { timeout: 20_000 }).toBe(200n);

      const again = await world.start();
      await expect.poll(again.health, { timeout: 30_000 }).toMatchObject({ ok: true, replication: 'idle' });
      expect(await leaders()).toBe(1);

      const leader = (await leads(others[0]!)) ? others[0]! : others[1]!;
      const askedAtMs = Date.now();
      expect(await leader.end('SIGTERM')).toBe(0);
      const rest = [...others.filter((o) => o !== leader), again];
      const one = async () => (await Promise.all(rest.map(leads))).filter((l) => l).length;
      await expect.poll(one, { timeout: 30_000, interval: 200 }).toBe(1);
      console.log(`one that ended in order was followed after ${((Date.now() - askedAtMs) / 1_000).toFixed(1)} s`);
      await write(100);
      await expect.poll(mirrored, { timeout: 20_000 }).toBe(300n);
      await Promise.all(rest.map((r) => r.end('SIGTERM')));
    } finally {
      await producer.disconnect();
    }
  });
});

describe('a daemon with nothing to do', () => {
  test('stays below 250 MB without its mirror, and below 3 % of a core', async () => {
    const daemon = await world.start();
    await expect.poll(() => leads(daemon), { timeout: 60_000 }).toBe(true);
    const settleMs = 30_000;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const [before, fromMs] = [await usageOf(daemon.pid), performance.now()];
    let most = before.rssMb;
    for (let i = 0; i < 36; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      most = Math.max(most, (await usageOf(daemon.pid)).rssMb);
    }
    const share = ((await usageOf(daemon.pid)).cpuMs - before.cpuMs) / (performance.now() - fromMs);
    console.log(`3 minutes: ${most.toFixed(0)} MB at most, ${(share * 100).toFixed(2)} % of a core`);
    expect(most).toBeLessThan(250);
    expect(share).toBeLessThan(0.03);
    expect(await daemon.end('SIGTERM')).toBe(0);
  });
});
