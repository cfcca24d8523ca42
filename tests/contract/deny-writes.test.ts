import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import type { BatchProducer } from '../../regions/kafka/record-batch.ts';
import { allowWrites, denyWrites, lookAtDenial } from '../../replication/topics/deny-writes.ts';
import { Mirror } from '../../replication/topics/mirror.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';

const topic = 'events';
const principal = 'User:mirror';
const partitions = [0, 1, 2].map((partition) => ({ topic, partition }));
const signal = () => AbortSignal.timeout(20_000);

let primary: TestBroker;
let standby: SecureBroker;
let source: PlatformaticAdmin;
/** As the mirror's principal; it may also change rules. */
let target: PlatformaticAdmin;
/** Kept over restarts, as the state keeps it. */
let producer: BatchProducer;

const rule = (resourceType: Acl['resourceType'], resourceName: string, operation: Acl['operation']): Acl => ({
  resourceType,
  resourceName,
  patternType: resourceType === 'transactionalId' ? 'prefixed' : 'literal',
  principal,
  host: '*',
  operation,
  permission: 'ALLOW',
});

beforeAll(async () => {
  [primary, standby] = await Promise.all([startTestBroker(), startSecureBroker({ users: ['mirror'] })]);
  source = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [primary.address] });
  target = new PlatformaticAdmin({ ...standby.endpoint('singapore', 'mirror'), region: 'singapore' });
  const operator = new PlatformaticAdmin({ region: 'singapore', bootstrap: [standby.broker.address] });
  await Promise.all([source, operator].map((a) => a.createTopic({ name: topic, partitions: 3, configs: {} })));
  await operator.createAcls([
    rule('topic', topic, 'READ'),
    rule('topic', topic, 'WRITE'),
    rule('topic', topic, 'DESCRIBE_CONFIGS'),
    rule('transactionalId', 'argus-mirror-', 'WRITE'),
    rule('transactionalId', '__argus-mirror-', 'WRITE'),
    rule('cluster', 'kafka-cluster', 'ALTER'),
    rule('cluster', 'kafka-cluster', 'DESCRIBE'),
  ]);
  await operator.close();
  producer = await target.initProducer('argus-mirror-1');
});
afterAll(async () => {
  await Promise.all([source?.close(), target?.close()]);
  await Promise.all([primary?.stop(), standby?.broker.stop()]);
});

const ends = async (admin: PlatformaticAdmin) => (await admin.logRanges(partitions)).map((r) => r.logEndOffset);
const standbyRegion = () => ({ kafka: target, brokers: standby.endpoint('singapore', 'mirror') });

async function send(count: number): Promise<void> {
  const feed = new Kafka({ brokers: [primary.address], logLevel: logLevel.NOTHING }).producer();
  await feed.connect();
  const messages = Array.from({ length: count }, (_, i) => ({ partition: i % 3, value: `${i}` }));
  await feed.send({ topic, messages });
  await feed.disconnect();
}

/** A mirror with the principal's login, while `use` runs. */
async function mirroring(use: (mirror: Mirror) => Promise<void>): Promise<void> {
  const mirror = new Mirror({
    source: { name: 'mumbai', bootstrap: [primary.address] },
    target: standby.endpoint('singapore', 'mirror'),
    partitions,
    producer,
    clock: wallClock,
  });
  const stopping = new AbortController();
  const running = mirror.run(stopping.signal);
  try {
    await use(mirror);
  } finally {
    stopping.abort();
    await running;
  }
}

test('a mirror on another machine that goes on after a promotion is denied, and the log does not grow', async () => {
  await send(30);
  await mirroring(async () => {
    await expect.poll(() => ends(target)).toEqual([10n, 10n, 10n]);
  });
  expect(await lookAtDenial(standbyRegion(), partitions, signal())).toMatchObject({
    kind: 'open',
    partitions: partitions.map((p) => ({ ...p, verdict: 'open', detail: 'CORRUPT_MESSAGE (2)' })),
  });
  expect(await ends(target)).toEqual([10n, 10n, 10n]);

  expect(await denyWrites(standbyRegion(), principal, [topic], signal())).toBe('made');
  expect(await denyWrites(standbyRegion(), principal, [topic], signal())).toBe('made');
  await expect.poll(() => lookAtDenial(standbyRegion(), partitions, signal())).toEqual({ kind: 'denied' });

  await send(30);
  await mirroring(async (mirror) => {
    const stops = () => mirror.status().topics[topic]?.partitions.map((p) => p.stop?.reason);
    await expect.poll(stops).toEqual(['BatchRefused', 'BatchRefused', 'BatchRefused']);
    expect(mirror.status().topics[topic]?.partitions[0]?.stop?.detail).toMatch(
      /TOPIC_AUTHORIZATION_FAILED \(29\): the principal needs WRITE on topic events/,
    );
  });
  expect(await ends(target)).toEqual([10n, 10n, 10n]);

  await allowWrites(standbyRegion(), principal, [topic], signal());
  await allowWrites(standbyRegion(), principal, [topic], signal());
  await expect.poll(() => lookAtDenial(standbyRegion(), partitions, signal())).toMatchObject({ kind: 'open' });
  await mirroring(async () => {
    await expect.poll(() => ends(target)).toEqual([20n, 20n, 20n]);
  });
});

test('tells that brokers without an authorizer can deny nothing', async () => {
  const open = { kafka: source, brokers: { name: 'mumbai', bootstrap: [primary.address] } };
  expect(await denyWrites(open, principal, [topic], signal())).toBe('no-authorizer');
  await allowWrites(open, principal, [topic], signal());
  const before = await ends(source);
  expect(await lookAtDenial(open, partitions, signal())).toEqual({ kind: 'no-authorizer' });
  expect(await ends(source)).toEqual(before);
});
