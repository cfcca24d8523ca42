import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { writeRoles } from '../../state/roles.ts';

/**
 * A real `argus daemon`, as a process of its own, after a failover: it has nothing to replicate. Both regions refuse
 * every connection. For what it serves, and what that takes.
 */
export interface DarkDaemon {
  readonly url: string;
  readonly state: ObjectStore;
  readonly stateFolder: string;
  /** What it wrote to stdout and stderr so far. */
  output(): string;
  /** Of its process, in bytes. Source: proc(5), VmRSS. */
  residentBytes(): number;
  /** Asks it to end; how long it took, and its exit code. */
  stop(): Promise<{ readonly ms: number; readonly exitCode: number | null }>;
  remove(): Promise<void>;
}

/** `more` is added to its configuration, `env` to its environment. */
export async function startDarkDaemon(more: string, env: Readonly<Record<string, string>>): Promise<DarkDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'argus-dark-'));
  const stateFolder = join(folder, 'state');
  const state = fileObjectStore(stateFolder);
  const base = { atMs: Date.now(), by: 'ops@host' };
  await writeRoles(state, { epoch: 1, primary: 'mumbai', standby: 'singapore', replication: 'active', ...base });
  await writeRoles(state, { epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'suspended', ...base });
  const region = (address: string, bucket: string) =>
    `{ address: ${address}, kafka: { bootstrap: ["127.0.0.1:9"] }, flink: { rest: "http://127.0.0.1:9" }, objects: { endpoint: "http://127.0.0.1:9", region: us-east-1, bucket: ${bucket}, accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY } }`;
  const config = `regions:
  mumbai: ${region('127.0.1.1', 'primary')}
  singapore: ${region('127.0.2.1', 'replica')}
roles: { primary: mumbai, standby: singapore }
topics: [events]
jobs:
  - name: counts
    checkpoints: { prefix: checkpoints }
    consumerGroup: counts
    submit: { jar: counts.jar, entryClass: a.Counts, parallelism: 2, args: { mumbai: [], singapore: [] } }
dns:
  cloudflare: { zone: argus.test, token: env:DNS_TOKEN, apiUrl: "http://127.0.0.1:9/client/v4" }
  records: [{ name: ingest.argus.test }]
  resolvers: ["127.0.0.1:9"]
state: file:./state
${more}`;
  const configPath = join(folder, 'argus.yaml');
  writeFileSync(configPath, config);
  writeFileSync(join(folder, 'counts.jar'), 'jar');
  const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--config', configPath, 'daemon'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const remove = async () => {
    child.kill('SIGKILL');
    await exited;
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const url = await listening(child, () => output).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    url,
    state,
    stateFolder,
    output: () => output,
    residentBytes: () => residentBytesOf(child.pid as number),
    async stop() {
      const from = performance.now();
      child.kill('SIGTERM');
      const exitCode = await exited;
      return { ms: performance.now() - from, exitCode };
    },
    remove,
  };
}

async function listening(child: ChildProcess, output: () => string): Promise<string> {
  for (const deadline = performance.now() + 120_000; ; await new Promise((r) => setTimeout(r, 50))) {
    const url = /listens on (https?:\/\/[^\s"]+)/.exec(output())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`no daemon:\n${output()}`);
  }
}

function residentBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
