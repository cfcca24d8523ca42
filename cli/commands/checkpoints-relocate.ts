import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatByteSize } from '../../domain/byte-size.ts';
import type { JobConfig } from '../../domain/config.ts';
import { offsetToJson, type PartitionOffset } from '../../domain/offsets.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import {
  type HandRelocation,
  planRelocation,
  requireEmpty,
  writeRelocation,
} from '../../replication/checkpoints/relocate.ts';
import type { CommandContext } from '../context.ts';
import { type CheckpointQuestion, checkpointMissing, findCheckpoint } from '../find-checkpoint.ts';
import { type RelocationTarget, relocationTarget } from '../relocation-target.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options extends CheckpointQuestion {
  /** A prefix of the standby's bucket, or a folder. */
  readonly to: string;
  readonly copy?: boolean;
  readonly dropTransactions?: boolean;
  readonly offset?: readonly PartitionOffset[];
  readonly dryRun?: boolean;
}

/**
 * `argus checkpoints relocate <id | uri> --to <prefix | folder>`: a `_metadata` that a person can restore from elsewhere,
 * with `--copy` its files too. Never writes into the primary's bucket, nor over anything.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal } = context;
    const sides = await sidesOf(context, composition, await rolesNow(context, composition));
    const { jobs } = composition.config;
    const buckets = { primary: sides.primary.objects.uri, standby: sides.standby.objects.uri };
    const to = relocationTarget(options.to, buckets, process.cwd());
    const { region, directories } = await findCheckpoint(options, jobs, sides, signal);
    const [directory] = directories;
    const wish = {
      targetUri: to.uri,
      copy: options.copy ?? false,
      dropTransactions: options.dropTransactions ?? false,
      offsets: options.offset ?? [],
    };
    const plan = directory && (await planRelocation(region.objects, directory, wish, { signal }));
    if (!plan) throw checkpointMissing(options, region.name);
    const store = await openTarget(to, sides.standby.objects);
    const target = { store, prefix: to.kind === 'standby' ? to.prefix : '', uri: to.uri };
    if (options.dryRun) await requireEmpty(target, { signal });
    else {
      const onProgress = (files: number) => {
        if (files % 100 === 0) context.tell(`${files} of ${plan.files.length} files`);
      };
      await writeRelocation(region.objects, target, plan, { signal, onProgress });
      // What the folder's store needs only while it writes.
      if (to.kind === 'folder') {
        for (const own of ['.tmp', '.locks']) await rm(join(to.path, own), { recursive: true, force: true });
      }
    }
    const job = jobs.find(({ name }) => name === options.job) ?? (jobs.length === 1 ? jobs[0] : undefined);
    const from = `${region.objects.uri}/${directory}`;
    const commands = restoreCommands(plan, job, sides.standby.name);
    if (context.json) context.print(JSON.stringify(toJson(plan, from, !options.dryRun, commands)));
    else for (const line of render(plan, from, options.dryRun ?? false, commands)) context.print(line);
    return 0;
  });
}

async function openTarget(to: RelocationTarget, standby: ObjectStore): Promise<ObjectStore> {
  if (to.kind === 'standby') return standby;
  const { fileObjectStore } = await import('../../regions/objects/file-object-store.ts');
  return fileObjectStore(to.path);
}

/** What a person types to restore it, with the job's values where they are known. Pure. */
export function restoreCommands(
  { uri, claimMode }: Pick<HandRelocation, 'uri' | 'claimMode'>,
  job: Pick<JobConfig, 'submit'> | undefined,
  region: string,
): { readonly cli: string; readonly rest: string } {
  const { entryClass, parallelism, jar } = job?.submit ?? {};
  const args = job?.submit?.args[region] ?? ['<arguments>'];
  const words = [entryClass && `-c ${quote(entryClass)}`, parallelism && `-p ${parallelism}`, quote(jar ?? '<jar>')];
  const body = {
    ...(entryClass === undefined ? {} : { entryClass }),
    ...(parallelism === undefined ? {} : { parallelism }),
    programArgsList: args,
    savepointPath: uri,
    claimMode,
  };
  return {
    cli: ['flink run -d', `-s ${quote(uri)}`, `-restoreMode ${claimMode}`, ...words, ...args.map(quote)]
      .filter((word) => word)
      .join(' '),
    rest: `POST /jars/<id of the uploaded jar>/run ${JSON.stringify(body)}`,
  };
}

/** A word for a POSIX shell. */
const quote = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

type Commands = ReturnType<typeof restoreCommands>;

function toJson(plan: HandRelocation, from: string, written: boolean, commands: Commands) {
  const { checkpointId, uri, claimMode, filesLeft, bytes, keptTransactions, droppedTransactions } = plan;
  return {
    written,
    from,
    checkpointId,
    uri,
    claimMode,
    filesCopied: plan.files.length,
    filesLeft,
    bytes,
    metadataBytes: plan.metadata.bytes.length,
    sourceOffsets: plan.sourceOffsets.map(offsetToJson),
    keptTransactions,
    droppedTransactions,
    commands,
  };
}

function render(plan: HandRelocation, from: string, dryRun: boolean, commands: Commands): readonly string[] {
  const { files, filesLeft, bytes, sourceOffsets, keptTransactions, droppedTransactions } = plan;
  const would = dryRun ? 'would be ' : '';
  return [
    `checkpoint ${plan.checkpointId} of ${from} ${would}relocated to ${plan.uri}`,
    files.length > 0 || filesLeft === 0
      ? `  ${files.length} files ${would}copied, ${formatByteSize(bytes)}`
      : `  its ${filesLeft} files (${formatByteSize(bytes)}) stay where they are: a restore needs them there`,
    ...sourceOffsets.map((o) => `  goes on at ${o.topic}-${o.partition} ${o.offset}`),
    ...(droppedTransactions.length > 0 ? [`  ${droppedTransactions.length} pending transactions left out`] : []),
    ...(keptTransactions.length > 0
      ? [`  ${keptTransactions.length} pending transactions are in it: it restores on the same Kafka only`]
      : []),
    ...(plan.claimMode === 'CLAIM' ? ['  changelog state: restored with CLAIM, and Flink deletes it by and by'] : []),
    '',
    `${commands.cli}`,
    `or: ${commands.rest}`,
  ];
}
