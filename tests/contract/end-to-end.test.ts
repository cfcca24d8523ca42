import { createServer } from 'node:http';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endToEndTask } from '../../daemon/end-to-end.ts';
import type { DaemonView } from '../../daemon/service.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { endToEndSection } from '../../domain/end-to-end-config.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

let broker: TestBroker;
let producer: Producer;
const clusters: KafkaCluster[] = [];
const posted: { id: string; seq: number }[] = [];
let answerWith = 202;
let passOn = true;

/** An ingress that puts what it takes into `events`, and a job that writes each key to `counts`, compressed. */
const ingress = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [event] = JSON.parse(Buffer.concat(chunks).toString()) as [{ id: string; key: string; seq: number }];
  posted.push(event);
  if (answerWith === 202) {
    await producer.send({ topic: 'events', messages: [{ key: event.key, value: JSON.stringify(event) }] });
    const result = { key: event.key, value: `{"key":"${event.key}","count":${posted.length}}` };
    if (passOn) await producer.send({ topic: 'counts', compression: 1, messages: [result] });
  }
  response.writeHead(answerWith).end('answered');
});

beforeAll(async () => {
  broker = await startTestBroker();
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: ['events', 'counts'].map((topic) => ({ topic, numPartitions: 4 })) });
  await admin.disconnect();
  producer = kafka.producer();
  await producer.connect();
  await new Promise<void>((resolve) => ingress.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const cluster of clusters) cluster.close();
  ingress.closeAllConnections();
  ingress.close();
  await producer?.disconnect();
  await broker?.stop();
});

function task(leads = true) {
  const settings = endToEndSection.parse({
    deadline: '2s',
    ingress: { mumbai: `http://127.0.0.1:${(ingress.address() as { port: number }).port}/events` },
    body: '[{"id":"{id}","key":"argus-heartbeat","seq":{sequence}}]',
    input: 'events',
    output: 'counts',
    outputHolds: '"key":"argus-heartbeat"',
  });
  const order = { kind: 'run', source: 'mumbai', target: 'singapore', rolesEpoch: 1 } as const;
  const view = { order: () => order, leads: () => leads } as unknown as DaemonView;
  const kafka = (name: string) => {
    const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_000 };
    const made = new KafkaCluster({ name, bootstrap: [broker.address], clientId: 'test', ...timeouts });
    clusters.push(made);
    return made;
  };
  const known = new Map<string, KafkaCluster>();
  const of = (region: string, leg: string) => {
    const made = known.get(region + leg) ?? kafka(region);
    known.set(region + leg, made);
    return made;
  };
  if (!settings) throw new Error('no settings');
  return endToEndTask({ settings, view, clock: wallClock, kafka: of, prefix: 'argus-x' });
}

const look = async (one = task()) =>
  (await one.look({ signal: AbortSignal.timeout(20_000) })).map((s) => [s.subject, s.code ?? s.status]);

test('an event goes the whole way, each time a new one, and each leg is measured', async () => {
  const one = task();
  const all = ['ingress', 'primary', 'standby', 'output'].map((leg) => [leg, 'ok']);
  expect(await look(one)).toEqual(all);
  expect(await look(one)).toEqual(all);
  expect(posted.map((e) => [e.id, e.seq])).toEqual([
    ['argus-x-1', 1],
    ['argus-x-2', 2],
  ]);
});

test('what comes nowhere is told by its leg, and an ingress that refuses by its first one alone', async () => {
  passOn = false;
  expect((await look()).at(-1)).toEqual(['output', 'HeartbeatLate']);
  answerWith = 503;
  expect(await look()).toEqual([['ingress', 'IngressRefused']]);
  const before = posted.length;
  expect(await look(task(false))).toEqual([]);
  expect(posted).toHaveLength(before);
});
