import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accessLogPath } from '../../lab/components/versitygw.ts';
import type { Lab } from '../../lab/lab.ts';
import { names, type RegionName } from '../../lab/lab-info.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import { pointsFolder } from '../../replication/checkpoints/locations.ts';
import { handleKinds } from './handle-kinds.ts';

/** One checkpoint's `_metadata` that lies in a bucket of the lab. */
export interface FoundMetadata {
  /** The key of its directory. */
  readonly directory: string;
  readonly version: number;
  readonly kinds: ReadonlySet<string>;
  /** Whether the codec writes it back byte for byte. */
  readonly roundTrips: boolean;
}

const bucketFolder = (lab: Lab, region: RegionName): string =>
  join(lab.dir, region, 'objects', 'buckets', lab.info.regions[region].objects.bucket);

function look(bucket: string, directory: string): FoundMetadata {
  const bytes = readFileSync(join(bucket, directory, '_metadata'));
  const metadata = readMetadata(bytes);
  const roundTrips = writeMetadata(metadata).equals(bytes);
  return { directory, version: metadata.version, kinds: handleKinds(metadata), roundTrips };
}

/** Every `_metadata` in a region's bucket, read from its disk. */
export function metadataIn(lab: Lab, region: RegionName): readonly FoundMetadata[] {
  const bucket = bucketFolder(lab, region);
  if (!existsSync(bucket)) return [];
  return readdirSync(bucket, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/_metadata'))
    .map((path) => look(bucket, path.slice(0, -'/_metadata'.length)));
}

/** Deletes the primary's bucket from its disk, so that nobody can read it again; gives the checkpoints that were there. */
export function destroyBucket(lab: Lab): readonly FoundMetadata[] {
  const there = metadataIn(lab, names.primary);
  rmSync(bucketFolder(lab, names.primary), { recursive: true });
  return there;
}

const flinkLog = (lab: Lab, which: 'jobmanager' | 'taskmanager'): string =>
  readFileSync(join(lab.dir, 'logs', `${names.standby}-${which}.log`), 'utf8');

/**
 * The checkpoint from which the standby's Flink says that it started the job, as it lies in the replica. Of a copy that
 * Flink may have consumed by now it is the point that was copied.
 */
export function restoredPoint(lab: Lab): FoundMetadata {
  // Source: org.apache.flink.runtime.checkpoint.CheckpointCoordinator.restoreSavepoint.
  const uri = /Starting job \w+ from savepoint (\S+)/.exec(flinkLog(lab, 'jobmanager'))?.[1];
  const root = `s3://${lab.info.regions[names.standby].objects.bucket}/`;
  if (!uri?.startsWith(root)) throw new Error(`the job was started from ${uri}, which is not in the replica`);
  const point = /\/([0-9a-f]{32}-\d{10,})(?=\/|$)/.exec(uri)?.[1];
  if (point === undefined) throw new Error(`${uri} is no point of the replica`);
  return look(bucketFolder(lab, names.standby), `${pointsFolder(names.job)}${point}`);
}

/**
 * Lines of the standby's logs that name the primary's bucket: its store's requests, and its Flink's own words. The
 * replica's keys repeat those of the primary's bucket, never its name. `atHome`: how many the primary's own store had
 * to do with it, as a proof that such lines are found.
 */
export function mentionsOfPrimary(lab: Lab): { readonly atHome: number; readonly mentions: readonly string[] } {
  const named = new RegExp(`${lab.info.regions[names.primary].objects.bucket}(?![\\w.-])`);
  const requests = (region: RegionName): readonly string[] =>
    readFileSync(accessLogPath(lab.info, region), 'utf8').trim().split('\n');
  const words = [flinkLog(lab, 'jobmanager'), flinkLog(lab, 'taskmanager')].flatMap((text) => text.split('\n'));
  const naming = (lines: readonly string[]): readonly string[] => lines.filter((line) => named.test(line));
  return { atHome: naming(requests(names.primary)).length, mentions: naming([...requests(names.standby), ...words]) };
}
