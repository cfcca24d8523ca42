import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startComponent } from '../../lab/components/process.ts';
import { startDistance } from '../mirror/distance.ts';
import type { BareStage } from '../mirror/stage.ts';

/** A bucket, and how it is reached. */
export interface StoreAt {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A versitygw of the stage. */
export interface BenchServer {
  /** A new, empty bucket, reached without any delay. */
  makeBucket(bucket: string): StoreAt;
  /** Removes a bucket with all that it holds, on disk. */
  removeBucket(bucket: string): void;
  /** Requests so far that name the bucket. */
  requests(bucket: string): number;
  /** The same bucket, with so many milliseconds in each direction. */
  farAway(store: StoreAt, delayMs: number): Promise<StoreAt>;
}

/** Starts an S3 server over a folder of the stage. */
export async function startBenchServer(stage: BareStage, name: string): Promise<BenchServer> {
  const root = join(stage.dir, name, 'buckets');
  const sidecar = join(stage.dir, name, 'attributes');
  const log = join(stage.dir, `${name}-requests.log`);
  mkdirSync(root, { recursive: true });
  mkdirSync(sidecar, { recursive: true });
  const address = `127.0.0.1:${stage.ports.take()}`;
  const started = startComponent(stage, {
    component: `${name}/objects`,
    command: stage.artifacts.versitygw,
    args: ['--addr', address, '--dir', root, '--sidecar', sidecar, '--access-log', log],
    env: { ROOT_ACCESS_KEY: 'bench', ROOT_SECRET_KEY: 'bench-secret' },
  });
  await started.ready(async (signal) => (await fetch(`http://${address}/healthz`, { signal })).ok, {
    timeoutMs: 20_000,
    signal: stage.signal,
  });
  let proxy: { readonly delayMs: number; readonly address: string } | undefined;
  return {
    makeBucket(bucket) {
      mkdirSync(join(root, bucket));
      const keys = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };
      return { endpoint: `http://${address}`, bucket, region: 'us-east-1', ...keys };
    },
    removeBucket(bucket) {
      for (const folder of [root, sidecar]) rmSync(join(folder, bucket), { recursive: true, force: true });
    },
    requests(bucket) {
      const lines = existsSync(log) ? readFileSync(log, 'latin1').split('\n') : [];
      return lines.filter((line) => line.split(' ')[1] === bucket).length;
    },
    async farAway(store, delayMs) {
      if (proxy?.delayMs !== delayMs) {
        const far = { listener: address, proxy: `127.0.0.1:${stage.ports.take()}` };
        proxy = { delayMs, address: (await startDistance(stage, { far }, delayMs)).address };
      }
      return { ...store, endpoint: `http://${proxy.address}` };
    },
  };
}
