import { standbyEnds } from '../../daemon/standby-ends.ts';
import { endOf, type LogRange, type PartitionOffset } from '../../domain/offsets.ts';
import { type ProbeOf, probe } from '../../health/probe.ts';
import { type MeasuredRestore, measuredRestore, ratesFrom } from '../../replication/recovery-point/estimate-restore.ts';
import { askedJob } from '../../replication/recovery-point/find.ts';
import { sinkLogReader } from '../../replication/recovery-point/sink-logs.ts';
import { surveyPoints } from '../../replication/recovery-point/survey.ts';
import { estimateLoss, type TopicLoss } from '../../replication/topics/estimate-loss.ts';
import { firstFrozen } from '../../state/freeze.ts';
import { listRuns, readRun } from '../../state/journal.ts';
import { foldRun } from '../../state/run-record.ts';
import type { Sighting } from '../../state/sightings.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { jobPointsJson, renderRecoveryPoints } from '../render-recovery-points.ts';
import { requireReplication, rolesNow, sidesOf, withComposition } from '../session.ts';

/**
 * `argus recovery-points [--job <name>] [--explain]`: reads only, and needs no more of the primary than its last
 * sighting. Exit code 1 when a job has none.
 */
export async function run(
  context: CommandContext,
  options: { readonly job?: string; readonly explain?: boolean },
): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    const { clock, signal } = context;
    const jobs = chosenJobs(config.jobs, options.job);
    const roles = await rolesNow(context, composition);
    requireOwnMirror(
      config,
      'recovery-points',
      '`argus checkpoints translate --dry-run` tells which checkpoint could be translated',
    );
    requireReplication(roles, `what ${roles.standby} holds is no copy of ${roles.primary}`);
    const { primary, standby, sighting } = await sidesOf(context, composition, roles);
    const [frozen, measured, seen] = await Promise.all([
      firstFrozen(state, roles.epoch, { signal }),
      measuredRestores(composition, signal),
      probe((call) => standbyEnds(primary, config.topics, call.signal), { clock, signal }),
    ]);
    const rates = ratesFrom(measured);
    const mirrorEnds = frozen?.frozen.endOffsets ?? [];
    const sinkLogs = sinkLogReader(standby.brokers);
    const gather = {
      objects: standby.objects,
      kafka: standby.kafka,
      topics: config.topics,
      mirrorEnds,
      sinkLogs,
      signal,
    };
    // All of them, since a job's point may hang on another's; shown are those that were asked for.
    const surveys = await surveyPoints(gather, config.jobs.map(askedJob), (ranges) => {
      const nowMs = clock.now();
      return { nowMs, rates, losses: lossesNow({ nowMs, topics: config.topics, seen, sighting, ranges }) };
    });
    const found = surveys.filter(({ job }) => jobs.some(({ name }) => name === job));
    const basis =
      seen.status === 'ok' ? ('counted' as const) : sighting ? ('estimated' as const) : ('unknown' as const);
    const about = { region: standby.name, rpoBasis: basis, rates };
    const explain = options.explain === true;
    if (context.json) {
      context.print(JSON.stringify({ ...about, jobs: found.map((job) => jobPointsJson(job, { explain })) }));
    } else context.print(renderRecoveryPoints(about, found, { explain }));
    return found.every((job) => job.points.some((p) => p.verdict === 'chosen')) ? 0 : 1;
  });
}

/** Per topic what the standby lacks: counted at the primary where it answers, else estimated from its last sighting. */
function lossesNow(view: {
  readonly nowMs: number;
  readonly topics: readonly string[];
  readonly seen: ProbeOf<readonly PartitionOffset[]>;
  readonly sighting: Sighting | undefined;
  readonly ranges: readonly LogRange[];
}): Readonly<Record<string, TopicLoss>> {
  const { nowMs, topics, seen, sighting } = view;
  const answers = seen.value !== undefined;
  return estimateLoss({
    topics,
    sighting,
    promotedAt: view.ranges.map(endOf),
    // As the failover's plan has it: without a failed look the primary may have lived until now.
    outageAtMs: answers ? nowMs : (sighting?.firstFailureAtMs ?? nowMs),
    primaryStopped: false,
    ...(answers ? { primaryEnds: seen.value } : {}),
  });
}

/** Finished failovers that brought their jobs back, newest first; of the newest ten failovers. */
async function measuredRestores({ state }: Composition, signal: AbortSignal): Promise<readonly MeasuredRestore[]> {
  const failovers = (await listRuns(state, { signal })).filter((run) => run.includes('-failover-'));
  const names = failovers.slice(-10).reverse();
  const records = await Promise.all(names.map(async (run) => foldRun(await readRun(state, run, { signal }))));
  return records.flatMap((record) => (record ? measuredRestore(record) : []));
}
