import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LabInfo, RegionName } from '../lab-info.ts';
import { hostPort } from '../lab-info.ts';
import { answers } from './probes.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** The region's log of S3 requests: a line each, with the bucket and the key. */
export function accessLogPath(info: LabInfo, region: RegionName): string {
  return join(info.dir, 'logs', `${region}-objects-requests.log`);
}

/** Starts the region's S3 server with its own credentials and buckets. What it held before is still there. */
export async function startVersitygw(
  info: LabInfo,
  region: RegionName,
  options: ReadyOptions,
): Promise<StartedComponent> {
  const { endpoint, buckets, accessKeyId, secretAccessKey } = info.regions[region].objects;
  const root = join(info.dir, region, 'objects', 'buckets');
  const sidecar = join(info.dir, region, 'objects', 'attributes');
  // A bucket is a folder.
  for (const bucket of buckets) mkdirSync(join(root, bucket), { recursive: true });
  mkdirSync(sidecar, { recursive: true });
  const { host, port } = hostPort(endpoint);
  const started = startComponent(info, {
    component: `${region}/objects`,
    command: info.artifacts.versitygw,
    // Attributes in a folder of their own: not every file system under a temporary folder keeps them at the files.
    args: [
      ...['--addr', `${host}:${port}`, '--dir', root, '--sidecar', sidecar],
      ...['--access-log', accessLogPath(info, region)],
    ],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  });
  await started.ready((signal) => answers(info, region, 'objects', signal), { ...options, everyMs: 30 });
  return started;
}
