import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';

/** A throw-away Kafka broker (KRaft, one node) with its data in a folder of its own. */
export interface TestBroker {
  readonly address: string;
  readonly port: number;
  readonly clusterId: string;
  readonly controllerPort: number;
  /** The broker process, while it runs. */
  readonly pid: number;
  /** SIGKILL; `start` brings it back with the same data and port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP: connections are accepted by the kernel and never answered. */
  freeze(): void;
  thaw(): void;
  /** Ends the process and removes the data. May be called again. */
  stop(): Promise<void>;
}

export interface TestBrokerOptions {
  /** Beside the first one, which has no security: added to the settings before it is started. */
  readonly secure?: (dir: string) => Promise<SecureListener>;
  /** A second listener, also without security, at `port`; what connects to it is told to go on to `proxyPort`. */
  readonly far?: { readonly port: number; readonly proxyPort: number };
  /** Another release: the folder of its jars, and the ZooKeeper that one before KRaft needs. */
  readonly release?: { readonly libs: string; readonly zookeeper?: string };
  /** Where its clients find it; default 127.0.0.1. Not together with another listener or cluster. */
  readonly host?: string;
  /** A further broker of the cluster that this one began; it is no controller. */
  readonly joins?: { readonly nodeId: number; readonly clusterId: string; readonly controllerPort: number };
}

export interface SecureListener {
  readonly settings: Readonly<Record<string, string>>;
  readonly port: number;
  /** Arguments of `StorageTool format`. */
  readonly format: readonly string[];
}

/** Starts a broker on free ports of 127.0.0.1 or of the address that is named; ready when its listener answers. */
export async function startTestBroker(
  settings: Readonly<Record<string, string>> = {},
  options: TestBrokerOptions = {},
): Promise<TestBroker> {
  const { release } = options;
  const { java, kafkaLibs } = await ensureArtifacts({});
  const dir = await mkdtemp(join(tmpdir(), 'argus-test-kafka-'));
  const port = await freePort();
  const { joins, host = '127.0.0.1' } = options;
  const controllerPort = joins?.controllerPort ?? (await freePort());
  const secure = await options.secure?.(dir);
  const properties = join(dir, 'server.properties');
  const all = {
    ...brokerSettings(dir, port, controllerPort),
    ...(joins && joiningSettings(port, joins.nodeId)),
    ...(secure && secureSettings(port, controllerPort, secure)),
    ...(options.far && farSettings(port, controllerPort, options.far)),
    ...(release?.zookeeper !== undefined && zookeeperSettings(port, release.zookeeper)),
    ...(options.host !== undefined && hostSettings(options.host, port, controllerPort)),
    ...settings,
  };
  await writeFile(
    properties,
    Object.entries(all)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => `${k}=${v}\n`)
      .join(''),
  );
  const classpath = ['-cp', join(release?.libs ?? kafkaLibs, '*')];
  // A letter first: StorageTool takes a dash for an option.
  const clusterId = joins?.clusterId ?? Buffer.concat([Buffer.of(1), randomBytes(15)]).toString('base64url');
  const role = joins ? '--no-initial-controllers' : '--standalone';
  const format = ['kafka.tools.StorageTool', 'format', role, '-t', clusterId, '-c', properties];
  format.push(...(secure?.format ?? []));
  if (release?.zookeeper === undefined)
    await promisify(execFile)(java, ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...classpath, ...format]);

  let child: ChildProcess | undefined;
  const start = async () => {
    const heap = ['-Xms256m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
    const log = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    child = spawn(java, [...heap, ...log, ...classpath, 'kafka.Kafka', properties], { stdio: 'ignore' });
    const started = child;
    for (let attempt = 0; !(await accepts(host, port)); attempt++) {
      if (started.exitCode !== null || attempt > 2_400) {
        // Nobody gets to know it, so nobody else can end it.
        started.kill('SIGKILL');
        throw new Error(`the test broker in ${dir} did not start`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const kill = async () => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    address: `${host}:${port}`,
    port,
    clusterId,
    controllerPort,
    get pid() {
      return child?.pid ?? 0;
    },
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function brokerSettings(dir: string, port: number, controllerPort: number): Record<string, string> {
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'num.network.threads': '2',
    'num.io.threads': '2',
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
  };
}

/** A broker alone: the controller is elsewhere. */
function joiningSettings(port: number, nodeId: number): Record<string, string> {
  return {
    'process.roles': 'broker',
    'node.id': `${nodeId}`,
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
  };
}

/** So long ZooKeeper keeps the name of a broker that was killed: another start before that fails. */
export const zookeeperSessionMs = 6_000;

/** The settings of KRaft are taken out again: a broker has either. */
function zookeeperSettings(port: number, zookeeper: string): Record<string, string | undefined> {
  const kraft = ['process.roles', 'node.id', 'controller.quorum.bootstrap.servers', 'controller.listener.names'];
  return {
    ...Object.fromEntries(kraft.map((key) => [key, undefined])),
    'broker.id': '1',
    'zookeeper.connect': zookeeper,
    'zookeeper.session.timeout.ms': `${zookeeperSessionMs}`,
    'zookeeper.connection.timeout.ms': '60000',
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT',
  };
}

function hostSettings(host: string, port: number, controllerPort: number): Record<string, string> {
  const listeners = `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`;
  return { listeners, 'advertised.listeners': listeners };
}

function secureSettings(port: number, controllerPort: number, secure: SecureListener): Record<string, string> {
  const listeners = `PLAINTEXT://127.0.0.1:${port},SECURE://127.0.0.1:${secure.port},CONTROLLER://127.0.0.1:${controllerPort}`;
  return { listeners, 'advertised.listeners': listeners, ...secure.settings };
}

function farSettings(port: number, controllerPort: number, far: { readonly port: number; readonly proxyPort: number }) {
  const listeners = (farPort: number) =>
    `PLAINTEXT://127.0.0.1:${port},FAR://127.0.0.1:${farPort},CONTROLLER://127.0.0.1:${controllerPort}`;
  return {
    listeners: listeners(far.port),
    'advertised.listeners': listeners(far.proxyPort),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT',
  };
}

/** Ports that were given already: the system gives one again as soon as it is closed, also to a broker that starts beside. */
const given = new Set<number>();

/** A loopback port that was free a moment ago, each only once. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
