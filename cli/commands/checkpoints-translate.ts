import type { JobConfig } from '../../domain/config.ts';
import { describeTranslation, writeTranslatedPoint } from '../../replication/checkpoints/translate-point.ts';
import { standbyTopic } from '../../replication/mirrormaker/flow.ts';
import { translateSourceOffset } from '../../replication/mirrormaker/watch.ts';
import { chooseTranslated, type TranslatedChoice } from '../../replication/recovery-point/choose-translated.ts';
import { describeRefusal } from '../../replication/recovery-point/find.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { type MirrorMakerWork, openMirrorMaker } from '../mirrormaker.ts';
import { rolesNow, withComposition } from '../session.ts';

interface Options {
  readonly job?: string;
  readonly checkpoint?: number;
  readonly dryRun?: boolean;
}

/**
 * `argus checkpoints translate`: with MirrorMaker 2, writes the newest checkpoint of each job whose offsets can be told
 * exactly on the standby, with these offsets, beside the replicated one. Exit code 3 when a job has none.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const work = await openMirrorMaker(context, composition, await rolesNow(context, composition));
    const { jobs, topics } = composition.config;
    const found: Translated[] = [];
    for (const job of chosenJobs(jobs, options.job)) {
      found.push(await translateJob(context, work, job, topics, options));
      if (!context.json) context.print(lines(found.at(-1) as Translated, work).join('\n'));
    }
    if (context.json) context.print(JSON.stringify({ jobs: found.map(asJson) }, bigintAsText));
    return found.every(({ choice }) => choice.kind === 'chosen') ? 0 : 3;
  });
}

interface Translated {
  readonly job: string;
  readonly choice: TranslatedChoice;
  /** Absent: nothing was to be written. */
  readonly state?: 'written' | 'there';
}

async function translateJob(
  context: CommandContext,
  { flow, sides, primary, standby }: MirrorMakerWork,
  { name: job }: Pick<JobConfig, 'name'>,
  topics: readonly string[],
  { checkpoint, dryRun }: Options,
): Promise<Translated> {
  const { signal, clock } = context;
  const { objects } = standby;
  const choice = await chooseTranslated({
    objects,
    job,
    translator: {
      topics,
      standbyTopic: (topic) => standbyTopic(flow, topic),
      translate: (partition, offset) => translateSourceOffset(sides, partition, offset),
    },
    ...(checkpoint === undefined ? {} : { checkpointId: checkpoint }),
    signal,
  });
  if (choice.kind === 'none' || dryRun === true) return { job, choice };
  const of = { from: primary.name, to: standby.name, atMs: clock.now() };
  const description = describeTranslation(choice.manifest, choice.point, of);
  const written = await writeTranslatedPoint(objects, choice.point, description, { signal });
  return { job, choice, state: written ? 'written' : 'there' };
}

function asJson({ job, choice, state }: Translated) {
  const { rejected } = choice;
  if (choice.kind === 'none') return { job, checkpointId: null, rejected };
  const { manifest, point } = choice;
  const { flinkJobId, checkpointId, completedAtMs } = manifest;
  const { uri, splits, metadata } = point;
  const told = { uri, sha256: metadata.sha256, splits, state: state ?? 'not-written' };
  return { job, checkpointId, flinkJobId, completedAtMs, ...told, rejected };
}

function lines({ job, choice, state }: Translated, { standby }: MirrorMakerWork): readonly string[] {
  const refused = choice.rejected.map(
    (r) => `  checkpoint ${r.checkpointId} is refused: ${r.reasons[0]?.code}: ${describeRefusal(r)}`,
  );
  if (choice.kind === 'none')
    return [`${job}: no checkpoint on the replica can be told on ${standby.name}`, ...refused];
  const { manifest, point } = choice;
  const what = state === undefined ? 'would be written' : state === 'written' ? 'is written' : 'was there already';
  return [
    `${job}: checkpoint ${manifest.checkpointId} with the offsets of ${standby.name} ${what}`,
    `  restore it with NO_CLAIM from ${point.uri}`,
    ...point.splits.map(
      (s) =>
        `  ${s.topic}-${s.partition} at ${s.offset} goes on as ${s.standby.topic}-${s.partition} at ${s.standby.offset}`,
    ),
    ...refused,
  ];
}
