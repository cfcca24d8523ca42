import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureMirrorMaker } from '../../bench/mirror/mirrormaker-part.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { freePort } from './kafka-broker.ts';

/** A Kafka Connect worker with MirrorMaker's connectors. */
export interface TestConnect {
  readonly url: string;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a distributed worker whose cluster is the broker at this address; ready when its REST interface answers. */
export async function startTestConnect(address: string): Promise<TestConnect> {
  const { java } = await ensureArtifacts({});
  const libs = await ensureMirrorMaker(AbortSignal.timeout(300_000), () => undefined);
  const dir = await mkdtemp(join(tmpdir(), 'argus-test-connect-'));
  const port = await freePort();
  const settings = {
    'bootstrap.servers': address,
    'group.id': 'connect-argus-test',
    listeners: `http://127.0.0.1:${port}`,
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'config.storage.topic': 'connect-configs',
    'offset.storage.topic': 'connect-offsets',
    'status.storage.topic': 'connect-status',
    'config.storage.replication.factor': '1',
    'offset.storage.replication.factor': '1',
    'offset.storage.partitions': '1',
    'status.storage.replication.factor': '1',
    'status.storage.partitions': '1',
    'offset.flush.interval.ms': '1000',
    'scheduled.rebalance.max.delay.ms': '0',
    'plugin.discovery': 'only_scan',
  };
  const file = join(dir, 'worker.properties');
  await writeFile(
    file,
    Object.entries(settings)
      .map(([k, v]) => `${k}=${v}\n`)
      .join(''),
  );
  await writeFile(
    join(dir, 'log4j2.properties'),
    `rootLogger.level=warn\nappender.f.type=File\nappender.f.name=F\nappender.f.fileName=${join(dir, 'worker.log')}\nappender.f.layout.type=PatternLayout\nappender.f.layout.pattern=%d %p %c{1} %m%n\nrootLogger.appenderRef.f.ref=F\n`,
  );
  const child = spawn(
    java,
    [
      ...['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
      `-Dlog4j2.configurationFile=${join(dir, 'log4j2.properties')}`,
      ...['-cp', join(libs, '*'), 'org.apache.kafka.connect.cli.ConnectDistributed', file],
    ],
    { stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(dir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt++) {
    // The list answers only when the worker has joined its group.
    const answer = await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (answer?.ok) return { url, stop };
    if (child.exitCode !== null || attempt > 1_200) {
      await stop();
      throw new Error(`the Connect worker in ${dir} did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
