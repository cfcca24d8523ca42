import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { runToEnd, startComponent } from '../../lab/components/process.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import { log4j } from './log4j.ts';
import { endProcess, type Stage } from './stage.ts';

/** A broker of the bench, with the JVM flags of a server (the tests' brokers start faster and run slower). */
export interface BenchBroker {
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  /** A second listener, whose advertised address is that of the proxy in front of it. */
  readonly far: { readonly listener: string; readonly proxy: string };
  /** Makes a topic that keeps batches as they come. */
  createTopic(topic: string, partitions: number, configs?: Readonly<Record<string, string>>): Promise<void>;
  /** Removes the topics that exist among these, with all that the names stand for. */
  deleteTopics(which: (topic: string) => boolean): Promise<void>;
  /** A new client for raw requests. */
  cluster(): KafkaCluster;
  stop(): Promise<void>;
}

const host = '127.0.0.1';

/** Starts an empty broker; ready when it answers. */
export async function startBroker(
  stage: Stage,
  name: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchBroker> {
  const dir = join(stage.dir, name);
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  const [address, listener, proxy, controller] = Array.from({ length: 4 }, () => `${host}:${stage.ports.take()}`) as [
    string,
    string,
    string,
    string,
  ];
  const config = join(dir, 'server.properties');
  const all = { ...serverSettings(join(dir, 'data'), address, listener, proxy, controller), ...settings };
  writeFileSync(config, lines(all));
  writeFileSync(join(dir, 'log4j2.xml'), log4j);
  const jvm = [
    `-Djava.io.tmpdir=${join(dir, 'tmp')}`,
    `-Dlog4j2.configurationFile=${join(dir, 'log4j2.xml')}`,
    '-cp',
    `${stage.artifacts.kafkaLibs}/*`,
  ];
  // StorageTool takes an id that begins with a hyphen for an option.
  const clusterId = `A${randomBytes(16).toString('base64url').slice(1)}`;
  await runToEnd(
    stage,
    {
      component: `${name}/format`,
      command: stage.artifacts.java,
      args: [
        '-Xmx128m',
        ...jvm,
        'kafka.tools.StorageTool',
        'format',
        `--cluster-id=${clusterId}`,
        '--config',
        config,
        '--standalone',
      ],
    },
    { timeoutMs: 60_000, signal: stage.signal },
  );
  const started = startComponent(stage, {
    component: `${name}/kafka`,
    command: stage.artifacts.java,
    args: ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', ...jvm, 'kafka.Kafka', config],
  });
  const cluster = () =>
    new KafkaCluster({
      name,
      bootstrap: [address],
      clientId: 'argus-bench',
      connectTimeoutMs: 3_000,
      requestTimeoutMs: 30_000,
    });
  await started.ready(
    async (signal) => {
      const probe = cluster();
      try {
        await probe.refresh([], signal);
        return true;
      } finally {
        probe.close();
      }
    },
    { timeoutMs: 120_000, signal: stage.signal },
  );
  const admin = new Admin({ clientId: 'argus-bench', bootstrapBrokers: [address], retries: 20, timeout: 120_000 });
  return {
    name,
    pid: started.pid,
    address,
    far: { listener, proxy },
    async createTopic(topic, partitions, configs = {}) {
      const wanted = { 'compression.type': 'producer', ...configs };
      await admin.createTopics({
        topics: [topic],
        partitions,
        replicas: 1,
        configs: Object.entries(wanted).map(([key, value]) => ({ name: key, value })),
      });
      await leads(cluster, topic, partitions, stage.signal);
    },
    async deleteTopics(which) {
      for (let triesLeft = 5; ; triesLeft--) {
        const there = (await admin.listTopics({ includeInternals: true })).filter(which);
        if (there.length === 0) return;
        try {
          return await admin.deleteTopics({ topics: there });
        } catch (error) {
          // A broker that has just taken gigabytes answers late; by the next look it may have done it.
          if (triesLeft === 0) throw error;
          await sleep(2_000, undefined, { signal: stage.signal });
        }
      }
    },
    cluster,
    async stop() {
      await admin.close().catch(() => undefined); // Its process ends next: nothing is lost.
      await endProcess(started.pid, 3_000);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Waits until every partition of a new topic has its leader, which answers for it. */
async function leads(make: () => KafkaCluster, topic: string, partitions: number, signal: AbortSignal): Promise<void> {
  const cluster = make();
  try {
    for (const deadline = performance.now() + 120_000; performance.now() < deadline; ) {
      const found = (await cluster.refresh([topic], signal)).topics.get(topic);
      if (found?.partitions.filter((p) => p.errorCode === 0 && p.leader >= 0).length === partitions) {
        const all = found.partitions.map(({ partition }) => ({ topic, partition }));
        const answered = await cluster.logEnds(all, signal).catch(() => undefined); // Not yet: asked again.
        if (answered) return;
      }
      await sleep(100, undefined, { signal });
    }
  } finally {
    cluster.close();
  }
  throw new Error(`topic ${topic} did not get its leaders`);
}

function serverSettings(data: string, address: string, listener: string, proxy: string, controller: string) {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': controller,
    listeners: `NEAR://${address},FAR://${listener},CONTROLLER://${controller}`,
    'advertised.listeners': `NEAR://${address},FAR://${proxy},CONTROLLER://${controller}`,
    'listener.security.protocol.map': 'NEAR:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'NEAR',
    'log.dirs': data,
    'num.network.threads': '2',
    'num.io.threads': '4',
    'socket.send.buffer.bytes': '1048576',
    'socket.receive.buffer.bytes': '1048576',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'log.segment.delete.delay.ms': '1000',
    'log.retention.ms': '-1',
  };
}

function lines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
