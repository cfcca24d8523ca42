import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readByJava, writeByJava } from '../support/java-client.ts';
import { logEnds, type MirrorPair, messages, mirroring, startMirrorPair } from '../support/mirror-pair.ts';
import { oldReleases, startOldBroker } from '../support/old-kafka.ts';

const tuning = {};
let pair: MirrorPair;

describe.each(oldReleases)('Kafka %s as the primary', (version) => {
  beforeAll(async () => {
    pair = await startMirrorPair({ startPrimary: (settings) => startOldBroker(version, settings) });
  });
  afterAll(() => pair?.stop());

  test('is mirrored with its transactions, also after it was killed', async () => {
    const prepared = await pair.prepare(2, {}, tuning);
    const writing = pair.writeMix(prepared.topic, 2, 6, 'written');
    await mirroring(prepared, async (mirror) => {
      await writing;
      await pair.primary.kill();
      await pair.primary.start();
      const producer = await pair.newProducer();
      await producer.send({ topic: prepared.topic, messages: [0, 1].flatMap((p) => messages('the end', 1, p)) });
      await pair.catchesUp(mirror, prepared);
    });
    await pair.expectIdentical(prepared);
  });

  test('is mirrored with every compression, and checked before', async () => {
    const prepared = await pair.prepare(2, {}, tuning);
    const { topic } = prepared;
    await writeByJava(pair.primary.address, topic, 2);
    expect(await logEnds(pair.primaryAdmin, prepared.partitions)).toEqual([1_000n, 1_000n]);
    expect(await pair.verdictOn(topic)).toMatchObject({ verdict: 'mirrored', reasons: [] });
    await mirroring(prepared, (mirror) => pair.catchesUp(mirror, prepared));
    const here = await readByJava(pair.primary.address, topic, 2);
    expect(here).toHaveLength(2_000);
    expect(await readByJava(pair.standby.address, topic, 2)).toEqual(here);
  });
});

describe('records in the format of before Kafka 0.11, in a log of Kafka 2.8.2,', () => {
  beforeAll(async () => {
    pair = await startMirrorPair({ startPrimary: (settings) => startOldBroker('2.8.2', settings) });
  });
  afterAll(() => pair?.stop());

  test('stop the partition by name, and the check refuses them', async () => {
    const prepared = await pair.prepare(1, { 'message.format.version': '0.10.2-IV0' }, tuning);
    const { topic, partitions } = prepared;
    await (await pair.newProducer()).send({ topic, messages: messages('old', 3) });
    await mirroring(prepared, async (mirror) => {
      const stop = () => mirror.status().topics[topic]?.partitions[0]?.stop;
      await expect.poll(stop, { timeout: 10_000 }).toMatchObject({ detail: expect.stringContaining('version 1') });
    });
    expect(await logEnds(pair.standbyAdmin, partitions)).toEqual([0n]);
    expect(await pair.verdictOn(topic)).toMatchObject({ verdict: 'refused' });
  });
});
