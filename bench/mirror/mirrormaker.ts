import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startComponent } from '../../lab/components/process.ts';
import { log4j } from './log4j.ts';
import type { CopyTask, MirrorTool } from './mirror-tool.ts';
import { endProcess, type Stage } from './stage.ts';

let runs = 0;

/** MirrorMaker 2 in its dedicated mode, tuned for large fetches, without the group and heartbeat work that it could do. */
export function mirrorMaker(stage: Stage): MirrorTool {
  return {
    name: 'MirrorMaker 2',
    copiesMarkers: false,
    async start(task) {
      const dir = join(stage.dir, 'mirrormaker');
      mkdirSync(join(dir, 'tmp'), { recursive: true });
      // Aliases of its own for each run: MirrorMaker keeps positions under them, and would not copy a topic again.
      const alias = `s${++runs}`;
      const config = join(dir, `${alias}.properties`);
      writeFileSync(config, mirrorMakerProperties(alias, task));
      writeFileSync(join(dir, 'log4j2.xml'), log4j);
      const { pid } = startComponent(stage, {
        component: `mirrormaker/${alias}`,
        command: stage.artifacts.java,
        args: [
          '-Xmx2g',
          '-XX:+UseG1GC',
          `-Djava.io.tmpdir=${join(dir, 'tmp')}`,
          `-Dlog4j2.configurationFile=${join(dir, 'log4j2.xml')}`,
          '-cp',
          `${stage.mirrorMakerLibs}/*`,
          'org.apache.kafka.connect.mirror.MirrorMaker',
          config,
        ],
      });
      return {
        pid,
        async stop() {
          await endProcess(pid, 5_000);
          const own = (topic: string) => topic.startsWith('mm2-');
          await task.source.deleteTopics(own);
          await task.target.deleteTopics(own);
        },
      };
    },
  };
}

/** The properties of one run, from cluster `alias` to cluster `to`. */
export function mirrorMakerProperties(alias: string, task: CopyTask): string {
  const { source, target, batches } = task;
  const flow = `${alias}->to`;
  const settings: Record<string, string | number | boolean> = {
    clusters: `${alias}, to`,
    [`${alias}.bootstrap.servers`]: task.sourceAddress,
    'to.bootstrap.servers': target.address,
    [`${flow}.enabled`]: true,
    [`to->${alias}.enabled`]: false,
    [`${flow}.topics`]: task.topics.map(({ topic }) => topic).join(','),
    'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
    'replication.factor': 1,
    'offset-syncs.topic.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    'config.storage.replication.factor': 1,
    'offset.storage.partitions': 1,
    'status.storage.partitions': 1,
    'tasks.max': 4,
    'offset.flush.interval.ms': 5_000,
    'refresh.topics.interval.seconds': 60,
    'sync.topic.acls.enabled': false,
    'emit.heartbeats.enabled': false,
    'emit.checkpoints.enabled': false,
    'sync.group.offsets.enabled': false,
    'dedicated.mode.enable.internal.rest': false,
    [`${alias}.consumer.max.poll.records`]: 5_000,
    [`${alias}.consumer.fetch.max.bytes`]: 16_777_216,
    [`${alias}.consumer.max.partition.fetch.bytes`]: 4_194_304,
    [`${alias}.consumer.receive.buffer.bytes`]: 1_048_576,
    [`${alias}.consumer.auto.offset.reset`]: 'earliest',
    'to.producer.batch.size': batches.batchBytes,
    'to.producer.linger.ms': task.lowLatency ? 0 : 20,
    'to.producer.compression.type': batches.compression,
    'to.producer.buffer.memory': 67_108_864,
    'to.producer.send.buffer.bytes': 1_048_576,
  };
  return [`# ${source.name} to ${target.name}`, ...Object.entries(settings).map(([k, v]) => `${k} = ${v}`), ''].join(
    '\n',
  );
}
