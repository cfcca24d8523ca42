import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LabInfo, Place, RegionInfo, RegionName } from '../lab-info.ts';
import { hostPort } from '../lab-info.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** A store's log of S3 requests: a line each, with the bucket and the key. */
export function accessLogPath(info: LabInfo, place: Place): string {
  return join(info.dir, 'logs', `${place}-objects-requests.log`);
}

/** Starts the region's S3 server with its own credentials and buckets. What it held before is still there. */
export async function startVersitygw(
  info: LabInfo,
  region: RegionName,
  options: ReadyOptions,
): Promise<StartedComponent> {
  return startStore(info, region, info.regions[region].objects, options);
}

/** Starts an S3 server at a place, and waits until it serves. */
export async function startStore(
  info: LabInfo,
  place: Place,
  objects: RegionInfo['objects'],
  options: ReadyOptions,
): Promise<StartedComponent> {
  const { endpoint, buckets, accessKeyId, secretAccessKey } = objects;
  const root = join(info.dir, place, 'objects', 'buckets');
  const sidecar = join(info.dir, place, 'objects', 'attributes');
  // A bucket is a folder.
  for (const bucket of buckets) mkdirSync(join(root, bucket), { recursive: true });
  mkdirSync(sidecar, { recursive: true });
  const { host, port } = hostPort(endpoint);
  const started = startComponent(info, {
    component: `${place}/objects`,
    command: info.artifacts.versitygw,
    // Attributes in a folder of their own: not every file system under a temporary folder keeps them at the files.
    args: [
      ...['--addr', `${host}:${port}`, '--dir', root, '--sidecar', sidecar],
      ...['--access-log', accessLogPath(info, place)],
    ],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  });
  const serves = async (signal: AbortSignal) => (await fetch(`${endpoint}/healthz`, { signal })).ok;
  await started.ready(serves, { ...options, everyMs: 30 });
  return started;
}
