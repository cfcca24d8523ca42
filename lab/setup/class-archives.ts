import { existsSync, openAsBlob } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { claimPorts } from '../ports.ts';
import { jobJarName } from './job-jar.ts';
import type { Part, PartContext } from './part.ts';
import { runTool } from './tool.ts';

/** Shared class archives of the JVM, by server; each goes with the class path `<libs>/*` and the java it was made with. */
export interface ClassArchives {
  readonly kafka: string;
  readonly jobmanager: string;
  readonly taskmanager: string;
}

type Server = keyof ClassArchives;

/** Where the archives lie in the part's folder. */
export function classArchives(folder: string): ClassArchives {
  return {
    kafka: join(folder, 'kafka.jsa'),
    jobmanager: join(folder, 'jobmanager.jsa'),
    taskmanager: join(folder, 'taskmanager.jsa'),
  };
}

/**
 * The classes that the servers load, parsed and verified once: with it a JVM starts in two thirds of the time. They are
 * recorded in one short run of a broker and a cluster with the lab's job (JEP 350, dynamic archives, JDK 13 and later).
 */
export function classArchivesPart(java: string, javaVersion: string, recordedFrom: readonly Part[]): Part {
  return {
    name: 'class-archives',
    // An archive holds for one java and for the very jars that were on the class path.
    version: `java-${javaVersion}`,
    sources: recordedFrom.flatMap((part) => part.sources),
    build: (target, context) => record(java, target, context),
  };
}

const address = '127.0.0.1';
const startTimeoutMs = 90_000;
const stopTimeoutMs = 60_000;
const topics = { in: 'events', out: 'metrics', group: 'counts' };
/** The reflection on the JDK's own classes that Flink's serializers need to run a job at all. */
const opens = ['lang', 'net', 'io', 'nio', 'lang.reflect', 'text', 'time', 'util', 'util.concurrent'].map(
  (name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`,
);

async function record(java: string, target: string, context: PartContext): Promise<void> {
  const work = join(target, 'work');
  const ports = await claimPorts();
  const broker = `${address}:${ports.take()}`;
  const controller = `${address}:${ports.take()}`;
  const rest = ports.take();
  await mkdir(join(work, 'tmp'), { recursive: true });
  await writeFile(join(work, 'log4j.properties'), log4j);
  await writeFile(join(work, 'server.properties'), kafkaConfig(broker, controller, join(work, 'data')));
  await writeFile(
    join(work, 'config.yaml'),
    flinkConfig({ rest, rpc: ports.take(), blob: ports.take(), taskRpc: ports.take(), taskData: ports.take() }, work),
  );
  const archives = classArchives(target);
  const kafkaLibs = `${context.folderOf('kafka')}/*`;
  const flinkLibs = `${context.folderOf('flink')}/*`;
  const jvm = [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xlog:cds=error,cds+dynamic=error',
    `-Djava.io.tmpdir=${join(work, 'tmp')}`,
    `-Dlog4j2.configurationFile=${join(work, 'log4j.properties')}`,
    `-Dlog4j.configurationFile=${join(work, 'log4j.properties')}`,
  ];
  const env = { FLINK_PLUGINS_DIR: context.folderOf('flink-plugins'), FLINK_CONF_DIR: work };
  const hint = 'the lab works without it, and starts more slowly';
  const pids: number[] = [];
  const runs: Promise<void>[] = [];
  const ended = new AbortController();
  const start = (server: Server, classPath: string, args: readonly string[]): void => {
    const run = runTool(
      {
        command: java,
        args: [...jvm, `-XX:ArchiveClassesAtExit=${archives[server]}`, ...opens, '-cp', classPath, ...args],
        env,
        hint,
        started: (pid) => pids.push(pid),
      },
      context,
    );
    // One that ends too early ends the recording; after our signal below only its archive matters.
    runs.push(
      run.then(
        () => ended.abort(),
        (error: unknown) => ended.abort(error),
      ),
    );
  };
  const signal = context.signal ? AbortSignal.any([context.signal, ended.signal]) : ended.signal;

  try {
    context.detail?.('starting a broker and a cluster to record their classes');
    const format = ['format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', join(work, 'server.properties')];
    await runTool(
      { command: java, args: [...jvm, '-cp', kafkaLibs, 'kafka.tools.StorageTool', ...format], hint },
      context,
    );
    start('kafka', kafkaLibs, ['kafka.Kafka', join(work, 'server.properties')]);
    const conf = ['--configDir', work];
    start('jobmanager', flinkLibs, ['org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint', ...conf]);
    start('taskmanager', flinkLibs, ['org.apache.flink.runtime.taskexecutor.TaskManagerRunner', ...conf]);
    await until(signal, () => prepareTopics(broker));
    const url = `http://${address}:${rest}`;
    await until(signal, async () => (await get(`${url}/overview`)).taskmanagers === 1);
    const job = await submit(url, join(context.folderOf('counts-job'), jobJarName), broker, signal);
    await until(signal, async () => {
      const { counts } = (await get(`${url}/jobs/${job}/checkpoints`)) as { counts?: { completed: number } };
      return (counts?.completed ?? 0) >= 2;
    });
    context.detail?.('writing the archives');
  } finally {
    for (const pid of pids) stopProcess(pid, 'SIGTERM');
    const late = setTimeout(() => {
      for (const pid of pids) stopProcess(pid, 'SIGKILL');
    }, stopTimeoutMs);
    await Promise.all(runs);
    clearTimeout(late);
    await ports.release();
  }
  await rm(work, { recursive: true, force: true });
  const missing = Object.values(archives).filter((path) => !existsSync(path));
  if (missing.length > 0) throw new ArgusError('SetupFailed', `java wrote no ${missing.join(', ')}`, { hint });
}

function stopProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended before.
  }
}

/** Asks again until it is so; an error counts as not yet. */
async function until(signal: AbortSignal, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await check().catch(() => false))) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new ArgusError('SetupFailed', `no answer within ${startTimeoutMs / 1000} s`, {
        hint: 'run it again when the machine is less busy',
      });
    }
    await sleep(250);
  }
}

async function prepareTopics(broker: string): Promise<boolean> {
  // Loaded here alone: a warm start has no use for it.
  const { Admin, Producer, stringSerializers } = await import('@platformatic/kafka');
  const connection = { clientId: 'argus-lab-setup', bootstrapBrokers: [broker], retries: 0, timeout: 5_000 };
  const admin = new Admin(connection);
  const producer = new Producer({ ...connection, serializers: stringSerializers });
  try {
    const existing = await admin.listTopics();
    for (const topic of [topics.in, topics.out]) {
      if (!existing.includes(topic)) await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
    }
    const partitionOffsets = [0, 1].map((partition) => ({ partition, offset: 0n }));
    await admin.alterConsumerGroupOffsets({
      groupId: topics.group,
      topics: [{ name: topics.in, partitionOffsets }],
    });
    const messages = Array.from({ length: 200 }, (_, i) => ({
      topic: topics.in,
      key: `key-${i % 40}`,
      value: JSON.stringify({ id: `event-${i}`, key: `key-${i % 40}`, seq: i }),
    }));
    await producer.send({ messages });
    return true;
  } finally {
    await producer.close();
    await admin.close();
  }
}

async function submit(url: string, jar: string, broker: string, signal: AbortSignal): Promise<string> {
  const form = new FormData();
  form.append('jarfile', await openAsBlob(jar), jobJarName);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
  const upload = await fetch(`${url}/jars/upload`, { method: 'POST', body: form, signal: limit });
  const { filename } = (await upload.json()) as { filename: string };
  const programArgsList = ['--brokers', broker, '--txid', 'setup'];
  for (const [name, value] of Object.entries(topics)) programArgsList.push(`--${name}`, value);
  const run = await fetch(`${url}/jars/${filename.split('/').at(-1)}/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ entryClass: 'argus.lab.CountsJob', programArgsList }),
    signal: limit,
  });
  const { jobid } = (await run.json()) as { jobid?: string };
  if (jobid === undefined) throw new ArgusError('SetupFailed', `Flink refused the job: HTTP ${run.status}`);
  return jobid;
}

async function get(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return (await response.json()) as Record<string, unknown>;
}

function kafkaConfig(broker: string, controller: string, dataDir: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${controller}
listeners=INSIDE://${broker},CONTROLLER://${controller}
listener.security.protocol.map=INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INSIDE
controller.listener.names=CONTROLLER
log.dirs=${dataDir}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
`;
}

interface FlinkPorts {
  readonly rest: number;
  readonly rpc: number;
  readonly blob: number;
  readonly taskRpc: number;
  readonly taskData: number;
}

function flinkConfig(ports: FlinkPorts, work: string): string {
  return `jobmanager.rpc.address: ${address}
jobmanager.bind-host: ${address}
jobmanager.rpc.port: ${ports.rpc}
jobmanager.memory.heap.size: 192m
jobmanager.memory.jvm-metaspace.size: 96m
rest.address: ${address}
rest.bind-address: ${address}
rest.port: ${ports.rest}
blob.server.port: ${ports.blob}
web.upload.dir: ${join(work, 'upload')}
taskmanager.host: ${address}
taskmanager.bind-host: ${address}
taskmanager.rpc.port: ${ports.taskRpc}
taskmanager.data.port: ${ports.taskData}
taskmanager.numberOfTaskSlots: 2
taskmanager.cpu.cores: 1
taskmanager.memory.task.heap.size: 96m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.network.min: 16m
taskmanager.memory.network.max: 16m
taskmanager.memory.managed.size: 64m
taskmanager.memory.framework.heap.size: 64m
taskmanager.memory.framework.off-heap.size: 32m
taskmanager.memory.jvm-overhead.min: 32m
taskmanager.memory.jvm-overhead.max: 32m
taskmanager.memory.jvm-metaspace.size: 96m
cluster.registration.error-delay: 300ms
cluster.registration.initial-timeout: 200ms
io.tmp.dirs: ${join(work, 'tmp')}
parallelism.default: 2
state.backend.type: rocksdb
execution.checkpointing.incremental: true
execution.checkpointing.interval: 1s
execution.checkpointing.dir: file://${join(work, 'checkpoints')}
`;
}

const log4j = `rootLogger.level = WARN
rootLogger.appenderRef.c.ref = c
appender.c.name = c
appender.c.type = CONSOLE
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} - %m%n
`;
