import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runObserver } from '../../daemon/observe.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { Seen } from '../../domain/observation.ts';
import { probesSection } from '../../domain/probes-config.ts';
import { probeTasks } from '../../health/probe-tasks.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { clusterClock } from '../../regions/kafka/cluster-clock.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import type { Region } from '../../regions/region.ts';
import { readObserverReport } from '../../state/observers.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { quietLog } from '../unit/daemon/quiet-log.ts';
import { config as sampleConfig } from '../unit/runbooks/failover/world.ts';

const topic = 'argus.probe';
const state = memoryObjectStore('state');
const closing: (() => Promise<unknown> | unknown)[] = [];
let kafka: SecureBroker;
let objects: ObjectServer;
let region: Region;
let flink: Server;
let jobState = 'RUNNING';

beforeAll(async () => {
  [kafka, objects] = await Promise.all([
    startSecureBroker({ users: ['observer'] }),
    startObjectServer({ buckets: ['bucket'] }),
  ]);
  const { endpoint, accessKeyId, secretAccessKey } = objects;
  flink = createServer((request, response) => answerAsFlink(request.url ?? '', response));
  await new Promise<void>((resolve) => flink.listen(0, '127.0.0.1', resolve));
  const brokers = kafka.endpoint('mumbai', 'observer');
  const store = s3ObjectStore({
    ...{ endpoint, accessKeyId, secretAccessKey },
    ...{ region: 'us-east-1', bucket: 'bucket', pathStyle: true },
  });
  const open = admin({ name: 'mumbai', bootstrap: [kafka.broker.address] });
  await open.createTopic({ name: 'events', partitions: 3, configs: {} });
  const allow = { principal: 'User:observer', host: '*', permission: 'ALLOW', patternType: 'literal' } as const;
  await open.createAcls([
    ...(['CREATE', 'READ', 'WRITE'] as const).map((operation) => ({
      ...allow,
      resourceType: 'topic' as const,
      resourceName: topic,
      operation,
    })),
    { ...allow, resourceType: 'topic', resourceName: 'events', operation: 'DESCRIBE' },
  ]);
  region = {
    name: 'mumbai',
    address: '127.0.0.1',
    brokers,
    kafka: admin(brokers),
    objects: store,
    flink: flinkRestJobs({ region: 'mumbai', url: urlOf(flink) }),
  };
  closing.push(() => store.close());
});
afterAll(async () => {
  for (const close of closing) await close();
  flink?.closeAllConnections();
  flink?.close();
  await kafka?.broker.stop();
  await objects?.stop();
});

function admin(endpoint: KafkaEndpoint): PlatformaticAdmin {
  const made = new PlatformaticAdmin({ region: 'mumbai', ...endpoint });
  closing.push(() => made.close());
  return made;
}
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as { port: number }).port}`;

/** As much of Flink's REST interface as an observer asks for. */
function answerAsFlink(path: string, response: ServerResponse): void {
  const job = { jid: 'a'.repeat(32), name: 'counts', state: jobState, 'start-time': 1 };
  const latest = { completed: { id: 3, external_path: 's3://x/chk-3', latest_ack_timestamp: Date.now() } };
  const answers: Record<string, unknown> = {
    '/jobs/overview': { jobs: [job] },
    '/overview': { 'slots-total': 2, 'slots-available': 1 },
    [`/jobs/${job.jid}/checkpoints`]: { counts: { completed: 3, failed: 0 }, latest },
  };
  const answer = answers[path];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? { errors: ['no such thing'] }));
}

async function observing(use: (look: (probe: string) => Promise<Seen | undefined>) => Promise<void>): Promise<void> {
  const config = {
    ...sampleConfig,
    topics: ['events'],
    probes: probesSection.parse({
      period: '200ms',
      deadline: '1s',
      ingress: { mumbai: `${urlOf(flink)}/overview` },
    }),
  };
  const clusters = new Map<string, KafkaCluster>();
  const cluster = (use: string): KafkaCluster => {
    const timeouts = { connectTimeoutMs: 1_000, requestTimeoutMs: 1_000 };
    const made = clusters.get(use) ?? new KafkaCluster({ ...region.brokers, clientId: 'test', ...timeouts });
    clusters.set(use, made);
    return made;
  };
  const links = {
    kafka: (_: string, use: string) => cluster(use),
    clock: (_: string, { signal }: { signal: AbortSignal }) => clusterClock(cluster('clock'), Date.now, signal),
  };
  const common = { state, clock: wallClock };
  const names = { records: {} as never, resolvers: [] };
  const tasks = probeTasks({ observer: 'outside', config, regions: [region], names, links, ...common });
  const stop = new AbortController();
  const parts = { name: 'outside', place: 'outside', tasks, atOnce: 16, log: quietLog(), random: Math.random };
  const running = runObserver({ ...parts, ...common }, stop.signal);
  const look = async (probe: string) =>
    (await readObserverReport(state, 'outside'))?.seen.find((s) => s.probe === probe);
  try {
    await use(look);
  } finally {
    stop.abort();
    await running;
    for (const each of clusters.values()) each.close();
  }
}

const soon = { interval: 50 };

test('an observer with few rights sees what lives, what is dead and what is silent apart, and its own lack of rights', async () => {
  await observing(async (look) => {
    for (const probe of ['kafka', 'kafka-write', 'objects', 'flink', 'job', 'ingress', 'state'])
      await expect.poll(() => look(probe), soon).toMatchObject({ status: 'ok' });
    // It made the topic for itself, and leaves no more than one object.
    expect((await region.kafka.describeTopics([topic])).get(topic)?.partitions).toBe(1);
    expect((await region.objects.list('')).objects.map((o) => o.key)).toEqual(['argus/probe/outside']);
    // DescribeQuorum is not allowed to it: that says nothing of the clock.
    await expect.poll(() => look('clock'), soon).toMatchObject({ status: 'unknown', code: 'ClockUntold' });

    jobState = 'FAILED';
    await expect.poll(() => look('job'), soon).toMatchObject({ status: 'failed', code: 'JobNotRunning' });
    await expect.poll(() => look('flink'), soon).toMatchObject({ status: 'ok' });
    jobState = 'RUNNING';

    kafka.broker.freeze();
    await expect.poll(() => look('kafka'), soon).toMatchObject({ status: 'unknown' });
    await expect.poll(() => look('kafka-write'), soon).toMatchObject({ status: 'unknown' });
    await expect.poll(() => look('objects'), soon).toMatchObject({ status: 'ok' });
    kafka.broker.thaw();
    await expect.poll(() => look('kafka'), soon).toMatchObject({ status: 'ok' });

    objects.signal('SIGSTOP');
    await expect.poll(() => look('objects'), soon).toMatchObject({ status: 'unknown', code: 'ProbeTimedOut' });
    await expect.poll(() => look('kafka'), soon).toMatchObject({ status: 'ok' });
    objects.signal('SIGCONT');
    await expect.poll(() => look('objects'), soon).toMatchObject({ status: 'ok' });

    await kafka.broker.kill();
    await expect.poll(() => look('kafka'), soon).toMatchObject({ status: 'failed', code: 'KafkaUnreachable' });
    await expect.poll(() => look('kafka-write'), soon).toMatchObject({ status: 'failed' });
    const kafkaSeen = (await look('kafka')) as Seen;
    expect(kafkaSeen.lastOkAtMs).toBeLessThan(kafkaSeen.sinceMs);
    flink.closeAllConnections();
    flink.close();
    await expect.poll(() => look('flink'), soon).toMatchObject({ status: 'failed', code: 'FlinkUnreachable' });
    await expect.poll(() => look('job'), soon).toMatchObject({ status: 'unknown', code: 'FlinkSilent' });
    await expect.poll(() => look('ingress'), soon).toMatchObject({ status: 'failed' });
  });
});
