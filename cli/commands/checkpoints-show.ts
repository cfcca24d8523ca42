import { ArgusError } from '../../domain/errors.ts';
import type { Region } from '../../regions/region.ts';
import { keyInBucket } from '../../replication/checkpoints/locations.ts';
import { showCheckpoint } from '../../replication/checkpoints/show.ts';
import { findOnPrimary, findOnReplica } from '../../replication/checkpoints/show-find.ts';
import type { CommandContext } from '../context.ts';
import { renderCheckpoint } from '../render-checkpoint.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  /** A checkpoint's number, or the URI of a checkpoint's or savepoint's directory. */
  readonly which: string;
  readonly job?: string;
  readonly source?: boolean;
}

/** `argus checkpoints show <id | uri>`: what a checkpoint holds. Reads its `_metadata` and the small states of Kafka's. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal } = context;
    const { primary, standby } = await sidesOf(context, composition, await rolesNow(context, composition));
    const { which } = options;
    const { region, directories } = /^\d{1,15}$/.test(which)
      ? await byNumber(options, composition.config.jobs, primary, standby, signal)
      : byUri(which, [primary, standby]);
    const directory = directories[0];
    const view = directory && (await showCheckpoint(region.objects, directory, { signal }));
    if (!view) {
      throw new ArgusError('CheckpointMissing', `${region.name} has no complete checkpoint ${which}`, {
        exitCode: 2,
        hint: options.source
          ? 'Flink removes a checkpoint when a newer one is complete.'
          : '`argus checkpoints list` says which the replica has; --source looks in the bucket of the primary.',
      });
    }
    const others = directories.slice(1).map((other) => `${region.objects.uri}/${other}`);
    if (context.json) context.print(JSON.stringify({ region: region.name, ...view, others }));
    else for (const line of renderCheckpoint(view, others)) context.print(line);
    return 0;
  });
}

async function byNumber(
  { which, job, source }: Options,
  jobs: readonly { readonly name: string; readonly checkpoints: { readonly prefix: string } }[],
  primary: Region,
  standby: Region,
  signal: AbortSignal,
): Promise<{ readonly region: Region; readonly directories: readonly string[] }> {
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

function byUri(
  which: string,
  regions: readonly Region[],
): { readonly region: Region; readonly directories: readonly string[] } {
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
