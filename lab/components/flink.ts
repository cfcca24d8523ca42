import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hostPort, type LabInfo, names, type RegionInfo, type RegionName } from '../lab-info.ts';
import { flinkOpens } from '../setup/flink-jvm.ts';
import type { FlinkChoice } from '../setup/flink-releases.ts';
import { jvmFlags } from './jvm.ts';
import { answers } from './probes.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** The session cluster's config.yaml: JobManager and TaskManager read the same. `dir` is for their temporary files. */
export function flinkConfig(region: RegionInfo, dir: string, settings: FlinkChoice['settings'] = {}): string {
  const { address, flink, objects } = region;
  const root = `s3://${objects.bucket}/${names.checkpointPrefix}`;
  const values: Record<string, string | number | boolean> = {
    'jobmanager.rpc.address': address,
    'jobmanager.rpc.port': flink.ports.rpc,
    'jobmanager.bind-host': address,
    'jobmanager.memory.heap.size': '192m',
    'jobmanager.memory.off-heap.size': '64m',
    'jobmanager.memory.jvm-metaspace.size': '96m',
    'jobmanager.memory.jvm-overhead.min': '32m',
    'jobmanager.memory.jvm-overhead.max': '64m',
    'rest.address': address,
    'rest.bind-address': address,
    'rest.port': hostPort(flink.rest).port,
    'rest.flamegraph.enabled': false,
    'web.upload.dir': join(dir, 'upload'),
    // Flink serves job states from a cache of this age.
    'web.refresh-interval': 250,
    'metrics.fetcher.update-interval': 1000,
    'blob.server.port': flink.ports.blob,
    'taskmanager.host': address,
    'taskmanager.bind-host': address,
    'taskmanager.rpc.port': flink.ports.taskRpc,
    'taskmanager.data.port': flink.ports.taskData,
    'taskmanager.numberOfTaskSlots': 4,
    'taskmanager.cpu.cores': 1,
    'taskmanager.memory.framework.heap.size': '64m',
    'taskmanager.memory.framework.off-heap.size': '32m',
    'taskmanager.memory.task.heap.size': '96m',
    'taskmanager.memory.task.off-heap.size': '0m',
    'taskmanager.memory.network.min': '16m',
    'taskmanager.memory.network.max': '16m',
    'taskmanager.memory.managed.size': '96m',
    'taskmanager.memory.jvm-metaspace.size': '96m',
    'taskmanager.memory.jvm-overhead.min': '32m',
    'taskmanager.memory.jvm-overhead.max': '32m',
    'taskmanager.network.memory.buffers-per-channel': 2,
    'taskmanager.network.memory.floating-buffers-per-gate': 4,
    'io.tmp.dirs': join(dir, 'tmp'),
    // A TaskManager that is gone is missed after this, also when nothing closed its connections.
    'heartbeat.interval': 1000,
    'heartbeat.timeout': 8000,
    // Else a TaskManager that starts before its JobManager answers asks again only after ten seconds.
    'cluster.registration.error-delay': '300ms',
    'cluster.registration.initial-timeout': '200ms',
    'parallelism.default': names.parallelism,
    'state.backend.type': 'rocksdb',
    'execution.checkpointing.incremental': true,
    'execution.checkpointing.interval': '5s',
    'execution.checkpointing.min-pause': '500ms',
    'execution.checkpointing.timeout': '60s',
    'execution.checkpointing.tolerable-failed-checkpoints': 20,
    'execution.checkpointing.dir': root,
    'execution.checkpointing.savepoint-dir': `s3://${objects.bucket}/savepoints`,
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'execution.checkpointing.num-retained': 3,
    // Small, so that a checkpoint refers to files and moving it takes more than one copy.
    'execution.checkpointing.data-inline-threshold': '1kb',
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 1_000_000,
    'restart-strategy.fixed-delay.delay': '1s',
    's3.endpoint': objects.endpoint,
    's3.path.style.access': true,
    's3.access-key': objects.accessKeyId,
    's3.secret-key': objects.secretAccessKey,
    's3.endpoint.region': 'us-east-1',
    's3.connection.ssl.enabled': false,
    's3.buffer.dir': join(dir, 'tmp'),
    // Else S3A deletes parent "directories" after each write, which versitygw refuses, and every attempt takes minutes.
    's3.directory.marker.retention': 'keep',
    ...(settings['state.changelog.enabled'] === true && {
      'state.changelog.storage': 'filesystem',
      'dstl.dfs.base-path': `s3://${objects.bucket}/${names.checkpointPrefix}/changes`,
    }),
    ...settings,
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

const log4j = `rootLogger.level = INFO
rootLogger.appenderRef.c.ref = c
appender.c.name = c
appender.c.type = CONSOLE
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} - %m%n
logger.p.name = org.apache.pekko
logger.p.level = WARN
logger.k.name = org.apache.kafka
logger.k.level = WARN
`;

const processes = {
  jobmanager: {
    mainClass: 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
    heapMb: 192,
    direct: '64m',
  },
  taskmanager: { mainClass: 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner', heapMb: 192, direct: '96m' },
} as const;

/**
 * Starts one process of the region's session cluster. A JobManager that starts again knows no job of before; a
 * TaskManager registers by itself. Ready when it answers, a TaskManager when the JobManager counts it.
 */
export async function startFlink(
  info: LabInfo,
  region: RegionName,
  which: keyof typeof processes,
  options: ReadyOptions & { readonly of?: FlinkOf },
): Promise<StartedComponent> {
  const of = options.of ?? 'region';
  const component = of === 'drill' ? (`drill-${which}` as const) : which;
  const place = flinkPlaceOf(info.regions[region], of);
  const dir = join(info.dir, region, component);
  const conf = join(dir, 'conf');
  // Temporary files of a process that was killed are of no use to the next.
  rmSync(join(dir, 'tmp'), { recursive: true, force: true });
  for (const folder of [conf, join(dir, 'tmp'), join(dir, 'upload')]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(conf, 'config.yaml'), flinkConfig(place, dir, info.flink.settings), {
    mode: 0o600,
  });
  writeFileSync(join(conf, 'log4j.properties'), log4j);
  const { mainClass, heapMb, direct } = processes[which];
  const { flinkLibs, flinkChangelogLibs } = info.artifacts;
  const { users } = place.kafka;
  // A JobManager of Flink 1.20 uploads a job's jar to its own blob server at "localhost", which listens on the region's
  // address alone.
  const hosts = join(conf, 'hosts');
  writeFileSync(hosts, `${place.address} localhost ${hostname()}\n`);
  // Told apart from the one before, which the JobManager still counts until it misses its heartbeat.
  const taskManagerId = `${region}-${randomUUID().slice(0, 8)}`;
  const started = startComponent(info, {
    component: `${region}/${component}`,
    command: info.artifacts.java,
    args: [
      ...jvmFlags({ heapMb, tmpDir: join(dir, 'tmp'), classArchive: info.artifacts.classArchives?.[which] }),
      `-XX:MaxDirectMemorySize=${direct}`,
      ...(info.flink.version === '1.20' ? [`-Djdk.net.hosts.file=${hosts}`] : []),
      `-Dlog4j2.configurationFile=${join(conf, 'log4j.properties')}`,
      `-Dlog4j.configurationFile=${join(conf, 'log4j.properties')}`,
      ...flinkOpens,
      '-cp',
      [flinkLibs, ...(flinkChangelogLibs === undefined ? [] : [flinkChangelogLibs])]
        .map((libs) => `${libs}/*`)
        .join(':'),
      mainClass,
      '--configDir',
      conf,
      ...(which === 'taskmanager' ? ['-D', `taskmanager.resource-id=${taskManagerId}`] : []),
    ],
    env: {
      FLINK_PLUGINS_DIR: info.artifacts.flinkPlugins,
      FLINK_CONF_DIR: conf,
      FLINK_LIB_DIR: flinkLibs,
      LOCAL_DIRS: join(dir, 'tmp'),
      ...(users && { KAFKA_PASSWORD: users.job }),
    },
  });
  await started.ready(
    (signal) =>
      which === 'jobmanager'
        ? answers(info, region, component, signal)
        : isRegistered(place.flink.rest, taskManagerId, signal),
    options,
  );
  return started;
}

/** Whose session cluster it is: the region's, or the one that is set aside for drills. */
type FlinkOf = 'region' | 'drill';

/** The region as its own or its drills' session cluster has it: with the drills' credentials for the latter. */
function flinkPlaceOf(region: RegionInfo, of: FlinkOf): RegionInfo {
  const { drill, kafka, objects } = region;
  if (of === 'region' || drill === undefined) return region;
  const { flink = region.flink, accessKeyId, secretAccessKey } = drill;
  const users = kafka.users?.drill === undefined ? undefined : { ...kafka.users, job: kafka.users.drill };
  return {
    ...region,
    flink,
    objects: { ...objects, accessKeyId, secretAccessKey },
    kafka: { ...kafka, ...(users && { users }) },
  };
}

async function isRegistered(rest: string, id: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${rest}/taskmanagers`, { signal });
  const { taskmanagers } = (await response.json()) as { taskmanagers: { id: string }[] };
  return taskmanagers.some((t) => t.id === id);
}
