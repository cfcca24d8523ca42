import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';
import { SAMPLE_BUCKET } from './flink-samples.ts';
import { startObjectServer } from './object-server.ts';

/** How a command of argus ended. */
export interface EndedCommand {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Two regions that have nothing but their buckets, and a configuration that names them. */
export interface CheckpointRegions {
  /** The primary's bucket, named as in the samples. */
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  /** Where the state lies. */
  readonly stateFolder: string;
  /** `argus checkpoints …` as a process, without a terminal. */
  checkpoints(...args: readonly string[]): Promise<EndedCommand>;
  stop(): Promise<void>;
}

export interface CheckpointRegionsOptions {
  /** Replaced in the configuration of the unit tests: text, and what takes its place. */
  readonly changes?: readonly (readonly [string, string])[];
}

/** Starts an object server for each region. */
export async function startCheckpointRegions(options: CheckpointRegionsOptions = {}): Promise<CheckpointRegions> {
  const replica = 'argus-flink-checkpoints-replica';
  const folder = await mkdtemp(join(tmpdir(), 'argus-checkpoints-'));
  const servers = [
    await startObjectServer({ buckets: [SAMPLE_BUCKET] }),
    await startObjectServer({ buckets: [replica] }),
  ];
  const [source, target] = [SAMPLE_BUCKET, replica].map((bucket, i) => {
    const { endpoint = '', accessKeyId = '', secretAccessKey = '' } = servers[i] ?? {};
    return s3ObjectStore({ endpoint, bucket, accessKeyId, secretAccessKey, region: 'us-east-1', pathStyle: true });
  }) as [ObjectStore, ObjectStore];
  const endpoints = servers.map(({ endpoint }, i): readonly [string, string] => [
    `endpoint: http://127.0.${i + 1}.1:9000`,
    `region: us-east-1\n      endpoint: ${endpoint}`,
  ]);
  const bucket = ['bucket: argus-flink-checkpoints\n', `bucket: ${SAMPLE_BUCKET}\n`] as const;
  const config = join(folder, 'argus.yaml');
  let yaml = sampleYaml;
  for (const [from, to] of [...endpoints, bucket, ...(options.changes ?? [])]) {
    if (!yaml.includes(from)) throw new Error(`the configuration does not hold ${JSON.stringify(from)}`);
    yaml = yaml.replace(from, to);
  }
  await writeFile(config, yaml);
  const env: Record<string, string | undefined> = { ...process.env, NO_COLOR: '1', ARGUS_CONFIG: config };
  env.CLOUDFLARE_TOKEN = 'unused';
  for (const name of ['MUMBAI', 'SINGAPORE']) {
    Object.assign(env, { [`${name}_KEY`]: 'tester', [`${name}_SECRET`]: 'tester-secret' });
  }
  const main = join(import.meta.dirname, '../../cli/main.ts');
  return {
    source,
    target,
    stateFolder: join(folder, 'state'),
    checkpoints: (...args) =>
      promisify(execFile)(process.execPath, [main, 'checkpoints', ...args], { env }).then(
        (out) => ({ code: 0, ...out }),
        (error: EndedCommand) => error,
      ),
    async stop() {
      await source.close();
      await target.close();
      for (const server of servers) await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
