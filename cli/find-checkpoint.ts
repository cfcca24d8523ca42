import { ArgusError } from '../domain/errors.ts';
import type { Region } from '../regions/region.ts';
import { keyInBucket } from '../replication/checkpoints/locations.ts';
import { findOnPrimary, findOnReplica } from '../replication/checkpoints/show-find.ts';

/** Which checkpoint a person means. */
export interface CheckpointQuestion {
  /** A checkpoint's number, or the URI of a checkpoint's or savepoint's directory. */
  readonly which: string;
  /** A job's name, or a Flink job id. */
  readonly job?: string;
  /** Look in the primary's bucket; else at the replica. */
  readonly source?: boolean;
}

/** Where a checkpoint may lie. */
export interface FoundCheckpoint {
  readonly region: Region;
  /** Keys of directories, newest first; a URI's is not looked at. */
  readonly directories: readonly string[];
}

/** Looks for a checkpoint by its number, or takes its URI in either region's bucket. */
export async function findCheckpoint(
  question: CheckpointQuestion,
  jobs: readonly { readonly name: string; readonly checkpoints: { readonly prefix: string } }[],
  { primary, standby }: { readonly primary: Region; readonly standby: Region },
  signal: AbortSignal,
): Promise<FoundCheckpoint> {
  if (/^\d{1,15}$/.test(question.which)) return byNumber(question, jobs, primary, standby, signal);
  // Where both buckets have one name, the option tells them apart.
  return byUri(question.which, question.source ? [primary, standby] : [standby, primary]);
}

/** Why there is nothing to be found. */
export function checkpointMissing(question: CheckpointQuestion, region: string): ArgusError {
  return new ArgusError('CheckpointMissing', `${region} has no complete checkpoint ${question.which}`, {
    exitCode: 2,
    hint: question.source
      ? 'Flink removes a checkpoint when a newer one is complete.'
      : '`argus checkpoints list` says which the replica has; --source looks in the bucket of the primary.',
  });
}

async function byNumber(
  { which, job, source }: CheckpointQuestion,
  jobs: readonly { readonly name: string; readonly checkpoints: { readonly prefix: string } }[],
  primary: Region,
  standby: Region,
  signal: AbortSignal,
): Promise<FoundCheckpoint> {
  const flinkJobId = job !== undefined && /^[0-9a-f]{32}$/.test(job) ? job : undefined;
  const fitting = job === undefined || flinkJobId !== undefined ? jobs : jobs.filter(({ name }) => name === job);
  const names = jobs.map(({ name }) => name).join(', ');
  if (fitting.length === 0) {
    throw new ArgusError('JobUnknown', `no job "${job}" in the configuration`, {
      exitCode: 2,
      hint: `There are: ${names}; or give a Flink job id.`,
    });
  }
  if (job === undefined && jobs.length > 1) {
    throw new ArgusError('JobNeeded', `checkpoint ${which} of which job?`, {
      exitCode: 2,
      hint: `Give --job, one of: ${names}; or a Flink job id.`,
    });
  }
  const wanted = { checkpointId: Number(which), flinkJobId };
  const region = source ? primary : standby;
  const directories: string[] = [];
  for (const { name, checkpoints } of fitting) {
    const found = source
      ? await findOnPrimary(region.objects, checkpoints.prefix, wanted, { signal })
      : await findOnReplica(region.objects, name, wanted, { signal });
    directories.push(...found.filter((directory) => !directories.includes(directory)));
  }
  return { region, directories };
}

function byUri(which: string, regions: readonly Region[]): FoundCheckpoint {
  const uri = which.replace(/\/(_metadata)?$/, '');
  for (const region of regions) {
    const key = keyInBucket(uri, region.objects.uri);
    if (key !== undefined) return { region, directories: [key] };
  }
  const buckets = regions.map((region) => region.objects.uri).join(' and ');
  throw new ArgusError('CheckpointUnknown', `${which} is neither a checkpoint's number nor a URI in ${buckets}`, {
    exitCode: 2,
  });
}
