import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceFile } from '../../lab/entry.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { ensureExtraPart } from '../../lab/setup/extra-part.ts';
import { copyDependencies } from '../../lab/setup/maven.ts';
import { freePort, startTestBroker, type TestBroker, zookeeperSessionMs } from './kafka-broker.ts';

/** Releases of Kafka that are tried as the primary, beside the lab's own. */
export const oldReleases = ['2.8.2', '3.9.2'] as const;
export type OldRelease = (typeof oldReleases)[number];

/** The settings that only one of them knows are told in its log and passed over. */
export async function startOldBroker(
  version: OldRelease,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestBroker> {
  const pom = sourceFile(import.meta.url, `maven/kafka-${version.slice(0, version.lastIndexOf('.'))}.pom.xml`);
  const part = {
    name: 'kafka-old',
    version,
    sources: [pom],
    build: (target: string, context: Parameters<typeof copyDependencies>[2]) => copyDependencies(pom, target, context),
  };
  const libs = await ensureExtraPart(part, AbortSignal.timeout(240_000), () => undefined);
  if (!version.startsWith('2.')) return startTestBroker(settings, { release: { libs } });
  const zookeeper = await startZooKeeper(libs);
  try {
    const broker = await startTestBroker(settings, { release: { libs, zookeeper: zookeeper.address } });
    const [startBroker, stopBroker] = [broker.start.bind(broker), broker.stop.bind(broker)];
    return Object.assign(broker, {
      start: async () => {
        await new Promise((resolve) => setTimeout(resolve, zookeeperSessionMs + 2_000));
        await startBroker();
      },
      stop: async () => {
        await stopBroker();
        await zookeeper.stop();
      },
    });
  } catch (error) {
    await zookeeper.stop();
    throw error;
  }
}

/** Ready some time after it was started: brokers wait for it. */
async function startZooKeeper(libs: string) {
  const { java } = await ensureArtifacts({});
  const dir = await mkdtemp(join(tmpdir(), 'argus-test-zookeeper-'));
  const port = await freePort();
  const flags = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dzookeeper.admin.enableServer=false'];
  // Sessions last between two and twenty of these.
  const tickMs = '500';
  const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
  const child = spawn(java, [...flags, '-cp', join(libs, '*'), main, String(port), dir, tickMs], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
