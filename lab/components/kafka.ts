import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabInfo, RegionInfo, RegionName } from '../lab-info.ts';
import { jvmFlags } from './jvm.ts';
import { loginFormat, loginSettings } from './kafka-users.ts';
import { answers } from './probes.ts';
import { type ReadyOptions, runToEnd, type StartedComponent, startComponent } from './process.ts';

/** The broker's logging; with `audit` also a file with a line for whatever its authorizer allowed or denied. */
function log4j(audit: string | undefined): string {
  const file = audit && `<File name="a" fileName="${audit}"><PatternLayout pattern="%d %m%n"/></File>`;
  const logger =
    audit && '<Logger name="kafka.authorizer.logger" level="DEBUG" additivity="false"><AppenderRef ref="a"/></Logger>';
  return `<Configuration>
  <Appenders><Console name="c"><PatternLayout pattern="%d %p %c{1}: %m%n"/></Console>${file ?? ''}</Appenders>
  <Loggers>${logger ?? ''}<Root level="WARN"><AppenderRef ref="c"/></Root></Loggers>
</Configuration>
`;
}

/** What a region's broker allowed and denied, line by line; only where drills have a place and brokers have logins. */
export function authorizerLogPath(info: LabInfo, region: RegionName): string {
  return join(info.dir, 'logs', `${region}-kafka-authorizer.log`);
}

/** The configuration of a region's one broker, which is its own controller (KRaft). */
export function serverProperties(region: RegionInfo, dataDir: string): string {
  const { kafka } = region;
  const listeners = [`INSIDE://${kafka.inside}`];
  const advertised = [`INSIDE://${kafka.inside}`];
  for (const [place, listener] of Object.entries(kafka.remoteListener)) {
    const name = `FROM_${place.toUpperCase()}`;
    listeners.push(`${name}://${listener}`);
    advertised.push(`${name}://${kafka.remote[place as RegionName]}`);
  }
  listeners.push(`AUDITOR://${kafka.auditor}`, `CONTROLLER://${kafka.controller}`);
  advertised.push(`AUDITOR://${kafka.auditor}`);
  const { users } = kafka;
  const named = listeners.map((l) => l.slice(0, l.indexOf(':')));
  const loggedIn = users === undefined ? [] : named.filter((n) => n !== 'AUDITOR' && n !== 'CONTROLLER');
  const protocols = named.map((n) => `${n}:${loggedIn.includes(n) ? 'SASL_PLAINTEXT' : 'PLAINTEXT'}`);
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${kafka.controller}`,
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': protocols.join(','),
    'inter.broker.listener.name': users === undefined ? 'INSIDE' : 'AUDITOR',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataDir,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // A broker that was killed may register again only when its session of before is over (default: 9 s).
    'broker.session.timeout.ms': 4_000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    // Nothing of a run may disappear before it is counted.
    'log.retention.ms': -1,
    // Transactions of the mirrored output, which stay open while the mirror pauses.
    ...(region.drill && { 'transaction.max.timeout.ms': 3_600_000 }),
    ...(users && loginSettings(users, loggedIn)),
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/**
 * Starts the region's broker; the first start formats its data folder, later ones go on with what is in it.
 * Ready when it answers a request.
 */
export async function startKafka(info: LabInfo, region: RegionName, options: ReadyOptions): Promise<StartedComponent> {
  const dir = join(info.dir, region, 'kafka');
  const dataDir = join(dir, 'data');
  mkdirSync(dir, { recursive: true });
  const config = join(dir, 'server.properties');
  writeFileSync(config, serverProperties(info.regions[region], dataDir), { mode: 0o600 });
  const { drill, kafka } = info.regions[region];
  const audit = drill && kafka.users && authorizerLogPath(info, region);
  writeFileSync(join(dir, 'log4j2.xml'), log4j(audit));
  const jvm = (heapMb: number): string[] => [
    ...jvmFlags({ heapMb, tmpDir: join(dir, 'tmp'), classArchive: info.artifacts.classArchives?.kafka }),
    `-Dlog4j2.configurationFile=${join(dir, 'log4j2.xml')}`,
    '-cp',
    `${info.artifacts.kafkaLibs}/*`,
  ];
  if (!existsSync(join(dataDir, 'meta.properties'))) {
    // A letter first: StorageTool takes a dash for an option.
    const clusterId = Buffer.concat([Buffer.of(1), randomBytes(15)]).toString('base64url');
    // A cluster id that begins with a hyphen would be read as an option.
    const args = [...jvm(128), 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', config];
    args.push(...loginFormat(info.regions[region].kafka.users));
    const spec = { component: `${region}/kafka-format`, command: info.artifacts.java, args };
    await runToEnd(info, spec, { ...options, timeoutMs: 60_000 });
  }
  const started = startComponent(info, {
    component: `${region}/kafka`,
    command: info.artifacts.java,
    args: [...jvm(320), 'kafka.Kafka', config],
  });
  await started.ready((signal) => answers(info, region, 'kafka', signal), options);
  return started;
}
