import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';

/** A throw-away versitygw: an S3 server over a temporary folder. */
export interface ObjectServer {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pid: number;
  /** Lines of the access log so far. */
  accessLog(): readonly string[];
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  stop(): Promise<void>;
}

export interface ObjectServerOptions {
  readonly buckets: readonly string[];
  /** The address that it listens on; default 127.0.0.1. */
  readonly host?: string;
  /** Default: those of a tester. */
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Starts the server on a free port of that address with empty buckets; ready when this resolves. */
export async function startObjectServer(options: ObjectServerOptions): Promise<ObjectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'argus-objects-'));
  const data = join(folder, 'data');
  for (const bucket of options.buckets) await mkdir(join(data, bucket), { recursive: true });
  await mkdir(join(folder, 'sidecar'));
  const { host = '127.0.0.1', keys = { accessKeyId: 'tester', secretAccessKey: 'tester-secret' } } = options;
  const port = await freePort();
  const log = join(folder, 'access.log');
  const child: ChildProcess = spawn(
    (await ensureArtifacts()).versitygw,
    ['--addr', `${host}:${port}`, '--dir', data, '--access-log', log, '--sidecar', join(folder, 'sidecar')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    },
  );
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2_000);
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://${host}:${port}`;
  for (let tries = 0; !(await isHealthy(endpoint)); tries++) {
    if (tries > 200 || child.exitCode !== null) {
      await stop();
      throw new Error(`versitygw did not start: ${stderr}`);
    }
    await sleep(50);
  }
  return {
    endpoint,
    ...keys,
    pid: child.pid ?? -1,
    accessLog: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    signal: (name) => void child.kill(name),
    stop,
  };
}

async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/healthz`, { signal: AbortSignal.timeout(500) })).ok;
  } catch {
    return false;
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
