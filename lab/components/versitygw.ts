import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bubblePrefixes } from '../../domain/bubble.ts';
import type { LabInfo, Place, RegionInfo, RegionName } from '../lab-info.ts';
import { hostPort } from '../lab-info.ts';
import { type ReadyOptions, type StartedComponent, startComponent } from './process.ts';

/** A store's log of S3 requests: a line each, with the bucket and the key. */
export function accessLogPath(info: LabInfo, place: Place): string {
  return join(info.dir, 'logs', `${place}-objects-requests.log`);
}

/**
 * Starts the region's S3 server with its own credentials and buckets. What it held before is still there. Where drills
 * have a place it has an account for them.
 */
export async function startVersitygw(
  info: LabInfo,
  region: RegionName,
  options: ReadyOptions,
): Promise<StartedComponent> {
  const { objects, drill } = info.regions[region];
  const started = await startStore(info, region, objects, options, drill);
  if (drill !== undefined) await letDrillsIn(objects, drill.accessKeyId);
  return started;
}

/** By the bucket's policy: drills may read all of it, and write below their own prefix. */
async function letDrillsIn(objects: RegionInfo['objects'], account: string): Promise<void> {
  const { PutBucketPolicyCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, bucket, accessKeyId, secretAccessKey } = objects;
  const whole = `arn:aws:s3:::${bucket}`;
  const allow = (resource: string, ...calls: readonly string[]) => ({
    Effect: 'Allow',
    Principal: { AWS: [account] },
    Action: calls.map((call) => `s3:${call}`),
    Resource: [resource],
  });
  const statements = [
    allow(whole, 'ListBucket', 'GetBucketLocation', 'ListBucketMultipartUploads'),
    allow(`${whole}/*`, 'GetObject'),
    allow(`${whole}/${bubblePrefixes.object}*`, 'PutObject', 'DeleteObject', 'AbortMultipartUpload'),
  ];
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    const abortSignal = AbortSignal.timeout(10_000);
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }), { abortSignal });
  } finally {
    client.destroy();
  }
}

/** An account beside the owner's, as versitygw keeps it. Source: `auth.Account` and `iAMConfig` of versitygw 1.8. */
function writeAccount(
  dir: string,
  { accessKeyId, secretAccessKey }: { readonly accessKeyId: string; readonly secretAccessKey: string },
): void {
  const account = { access: accessKeyId, secret: secretAccessKey, role: 'user', userID: 0, groupID: 0, projectID: 0 };
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'users.json'), JSON.stringify({ accessAccounts: { [accessKeyId]: account } }), {
    mode: 0o600,
  });
}

/** Starts an S3 server at a place, and waits until it serves. */
export async function startStore(
  info: LabInfo,
  place: Place,
  objects: RegionInfo['objects'],
  options: ReadyOptions,
  account?: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<StartedComponent> {
  const { endpoint, buckets, accessKeyId, secretAccessKey } = objects;
  const root = join(info.dir, place, 'objects', 'buckets');
  const sidecar = join(info.dir, place, 'objects', 'attributes');
  // A bucket is a folder.
  for (const bucket of buckets) mkdirSync(join(root, bucket), { recursive: true });
  mkdirSync(sidecar, { recursive: true });
  const { host, port } = hostPort(endpoint);
  const accounts = join(info.dir, place, 'objects', 'accounts');
  if (account !== undefined) writeAccount(accounts, account);
  const started = startComponent(info, {
    component: `${place}/objects`,
    command: info.artifacts.versitygw,
    // Attributes in a folder of their own: not every file system under a temporary folder keeps them at the files.
    args: [
      ...['--addr', `${host}:${port}`, '--dir', root, '--sidecar', sidecar],
      ...['--access-log', accessLogPath(info, place)],
      ...(account === undefined ? [] : ['--iam-dir', accounts]),
    ],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  });
  const serves = async (signal: AbortSignal) => (await fetch(`${endpoint}/healthz`, { signal })).ok;
  await started.ready(serves, { ...options, everyMs: 30 });
  return started;
}
