import { CompressionTypes, Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAuditLoop } from '../../daemon/audit-loop.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { type VerifyProgress, verifyTopics } from '../../replication/topics/verify.ts';
import { readMirrorAudit } from '../../state/mirror-audit.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';

let primary: TestBroker;
let standby: TestBroker;
let admins: PlatformaticAdmin[];
let producers: Producer[];
let topics = 0;

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestBroker(), startTestBroker()]);
  admins = [primary, standby].map((b) => new PlatformaticAdmin({ region: 'test', bootstrap: [b.address] }));
  producers = [primary, standby].map((b) =>
    new Kafka({ brokers: [b.address], logLevel: logLevel.NOTHING }).producer({ retry: { retries: 20 } }),
  );
  await Promise.all(producers.map((p) => p.connect()));
});
afterAll(async () => {
  await Promise.all([...(producers ?? []).map((p) => p.disconnect()), ...(admins ?? []).map((a) => a.close())]);
  await Promise.all([primary?.stop(), standby?.stop()]);
});

async function makeTopic(partitions = 1): Promise<string> {
  const topic = `verified-${++topics}`;
  for (const admin of admins) await admin.createTopic({ name: topic, partitions, configs: {} });
  return topic;
}

const message = (i: number, value = `value-${i}`) => ({
  key: `k${i % 7}`,
  value,
  timestamp: String(1_700_000_000_000 + i),
});

/** The same batch to a side's partition; 0 is the primary. */
async function write(side: number, topic: string, messages: ReturnType<typeof message>[], partition = 0) {
  const list = messages.map((m) => ({ ...m, partition }));
  await producers[side]?.send({ topic, messages: list, compression: CompressionTypes.GZIP });
}

async function verify(topic: string, options: { from?: bigint; sample?: number } = {}) {
  const partitions = [...((await admins[0]?.describeTopics([topic]))?.values() ?? [])].flatMap((t) =>
    Array.from({ length: t.partitions }, (_, partition) => ({ topic, partition })),
  );
  let last: VerifyProgress | undefined;
  const ranges = await verifyTopics({
    source: { name: 'mumbai', bootstrap: [primary.address] },
    target: { name: 'singapore', bootstrap: [standby.address] },
    partitions,
    compacted: new Set(),
    clock: wallClock,
    signal: AbortSignal.timeout(30_000),
    onProgress: (progress) => {
      last = progress;
    },
    ...options,
  });
  return { ranges, progress: last };
}

describe('the audit of two logs', () => {
  test('walks everything that both have and finds it the same', async () => {
    const topic = await makeTopic(2);
    for (let from = 0; from < 5_000; from += 250) {
      const messages = Array.from({ length: 250 }, (_, i) => message(from + i));
      for (const side of [0, 1]) await write(side, topic, messages, (from / 250) % 2);
    }
    // What is not mirrored yet is no difference.
    await write(0, topic, [message(9)]);
    const { ranges, progress } = await verify(topic);
    expect(ranges.map((r) => [r.partition, r.records, r.difference])).toEqual([
      [0, 2_500n, undefined],
      [1, 2_500n, undefined],
    ]);
    expect(progress).toMatchObject({ done: 5_000n, total: 5_000n });
    const sample = await verify(topic, { sample: 5 });
    expect(sample.ranges.every((r) => !r.difference && r.toOffset - r.fromOffset <= 1_000n)).toBe(true);
  });

  test('names the first offset that differs, by one byte, and not what lies before the wanted range', async () => {
    const topic = await makeTopic();
    for (let i = 0; i < 20; i++) {
      await write(0, topic, [message(i)]);
      await write(1, topic, [message(i, i === 7 ? 'value-X' : `value-${i}`)]);
    }
    const [range] = (await verify(topic)).ranges;
    expect(range?.difference).toMatchObject({ offset: 7n, what: expect.stringMatching(/bytes/) });
    expect((await verify(topic, { from: 8n })).ranges[0]?.difference).toBeUndefined();
  });

  test('goes on by sample: what it compared is counted and kept, a difference is told once', async () => {
    const topic = await makeTopic();
    const region = (name: string, side: number, address: string) =>
      ({ name, kafka: admins[side], brokers: { name, bootstrap: [address] } }) as unknown as Region;
    for (let i = 0; i < 5; i++) {
      await write(0, topic, [message(i)]);
      await write(1, topic, [message(i, i === 3 ? 'value-X' : `value-${i}`)]);
    }
    const [state, log, stopping] = [memoryObjectStore('state'), quietLog(), new AbortController()];
    const found = { batches: 0, differences: 0 };
    const running = runAuditLoop(
      {
        source: region('mumbai', 0, primary.address),
        target: region('singapore', 1, standby.address),
        partitions: () => [{ topic, partition: 0 }],
        state,
        clock: wallClock,
        log,
        onFound: (batches, differences) => {
          found.batches += batches;
          found.differences += differences;
        },
        periodMs: 50,
      },
      stopping.signal,
    );
    const kept = () => readMirrorAudit(state, 'mumbai');
    await expect.poll(async () => (await kept())?.differences ?? 0).toBeGreaterThan(1);
    await expect.poll(async () => (await kept())?.batches ?? 0).toBeGreaterThan(1);
    stopping.abort();
    await running;
    expect((await kept())?.last).toMatchObject({ topic, partition: 0, offset: '3' });
    expect(Math.min(found.batches, found.differences)).toBeGreaterThan(1);
    expect(log.lines.filter((l) => l.message.includes('hold different records'))).toHaveLength(1);
  });
});
