import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { startTestBroker } from './kafka-broker.ts';
import { startObjectServer } from './object-server.ts';

/** A daemon in a process of its own. */
export interface RealDaemon {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has said, line by line. */
  readonly lines: () => readonly { readonly level: string; readonly msg: string }[];
  /** What /healthz says. */
  health(): Promise<{ readonly ok: boolean; readonly replication: string; readonly why?: string }>;
  /** Sends it a signal and waits for its end: exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

const entry = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Two regions of one real broker each and buckets of a real store, one configuration, and any number of daemons over it. */
export async function realDaemons() {
  const folder = await mkdtemp(join(tmpdir(), 'argus-daemons-'));
  const [mumbai, singapore, objects] = await Promise.all([
    startTestBroker(),
    startTestBroker(),
    startObjectServer({ buckets: ['primary', 'replica'] }),
  ]);
  const admin = (bootstrap: string) => new PlatformaticAdmin({ region: 'x', bootstrap: [bootstrap] });
  const [source, target] = [admin(mumbai.address), admin(singapore.address)];
  await source.createTopic({ name: 'events', partitions: 2, configs: {} });
  const daemons: RealDaemon[] = [];
  const region = (address: string, kafka: string, bucket: string) => `
    address: ${address}
    kafka: { bootstrap: ["${kafka}"] }
    objects: { endpoint: "${objects.endpoint}", region: us-east-1, bucket: ${bucket}, accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY }
    flink: { rest: "http://127.0.0.1:9" }`;
  const configPath = join(folder, 'argus.yaml');
  /** Writes the configuration, with more sections; `topics` as YAML. */
  const configure = (more = '', topics = '[events]') =>
    writeFile(
      configPath,
      `regions:
  mumbai:${region('127.0.1.1', mumbai.address, 'primary')}
  singapore:${region('127.0.2.1', singapore.address, 'replica')}
roles: { primary: mumbai, standby: singapore }
topics: ${topics}
jobs:
  - name: counts
    checkpoints: { prefix: checkpoints }
    consumerGroup: counts
    submit: { jar: counts.jar, entryClass: a.Counts, parallelism: 2, args: { mumbai: [], singapore: [] } }
dns:
  cloudflare: { zone: argus.test, token: env:S3_ID, apiUrl: "http://127.0.0.1:9" }
  records: [{ name: ingest.argus.test }]
  resolvers: ["127.0.0.1:9"]
state: file:./state
daemon: { port: 0 }
${more}`,
    );
  await configure();
  await writeFile(join(folder, 'counts.jar'), 'jar');

  return {
    folder,
    configure,
    /** The primary's broker. */
    bootstrap: mumbai.address,
    source,
    target,
    /** Resolves when it listens. */
    async start(env: Readonly<Record<string, string>> = {}): Promise<RealDaemon> {
      const child = spawn(process.execPath, [entry, '--config', configPath, 'daemon'], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, S3_ID: objects.accessKeyId, S3_KEY: objects.secretAccessKey, ...env },
      });
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      const lines = () =>
        text
          .split('\n')
          .filter((line) => line.startsWith('{"level"'))
          .map((line) => JSON.parse(line) as { level: string; msg: string; url?: string });
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      const deadline = Date.now() + 120_000;
      let url: string | undefined;
      while (url === undefined) {
        if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
          child.kill('SIGKILL');
          throw new Error(`the daemon does not listen: ${text}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
        url = lines().find((line) => line.url !== undefined)?.url;
      }
      const daemon: RealDaemon = {
        process: child,
        pid: child.pid ?? 0,
        lines,
        health: async () => (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) })).json() as never,
        async end(signal) {
          child.kill(signal);
          const [code, by] = await ended;
          return code ?? by;
        },
      };
      daemons.push(daemon);
      return daemon;
    },
    async stop() {
      for (const { process: child } of daemons) if (child.exitCode === null) child.kill('SIGKILL');
      await Promise.allSettled([source.close(), target.close()]);
      await Promise.all([mumbai.stop(), singapore.stop(), objects.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Memory and processor time of a process, without its children's. Source: proc(5). */
export async function usageOf(pid: number): Promise<{ readonly rssMb: number; readonly cpuMs: number }> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  const rssKb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime in ticks of 10 ms (USER_HZ is 100 on Linux).
  return { rssMb: rssKb / 1_024, cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
}
